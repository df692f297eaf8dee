"""Invented names. None is a real place or person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COUNTIES = ("望澜区", "砚湾区", "青礁县", "南汀县", "东屿县", "石坞县", "云矶县", "北港县")
_FIRST = "海东金文新长永和安福景云松竹兰青白石南北望沙龙凤鹤鹭"
_SECOND = "滨港园塘桥山湾泉华康宁祥林溪屏埠坞矶汀屿澜浦岭坡"
_THIRD = "里前后西东上下中"
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"
STEMS = "甲乙丙丁戊己庚辛壬癸"
NUMBERS = "一二三四五六七八九十"


def places(rng: np.random.Generator, count: int) -> list[str]:
    """Return so many different place names."""
    pairs = [a + b for a in _FIRST for b in _SECOND]
    found = [pairs[i] for i in rng.permutation(len(pairs))]
    longer = [p + c for c in _THIRD for p in found]
    return (found + longer)[:count] + [f"新居{i}" for i in range(count - len(found + longer))]


_COMPOUNDS = ("花园", "嘉园", "小区", "名苑", "家园", "新村", "雅居", "华庭", "公寓", "府")
_SITES = {"school": "学校", "hospital": "医院", "park": "公园", "mall": "商场",
          "office": "商务楼", "estate": "工业园"}
_STREETS = ("路", "街", "巷", "大街", "弄", "里")


def site(kind: str, number: int) -> str:
    """Return the second half of a site's name; ``number`` counts within its place."""
    if kind != "compound":
        return _SITES[kind] + (NUMBERS[number % 10] if number else "")
    again = NUMBERS[number // len(_COMPOUNDS) % 10] + "期" if number >= len(_COMPOUNDS) else ""
    return _COMPOUNDS[number % len(_COMPOUNDS)] + again


def street(stem: str, number: int) -> str:
    """Return a street's name after its place; ``number`` counts within it."""
    again = number // len(_STREETS)
    return stem + (NUMBERS[again % 10] if again else "") + _STREETS[number % len(_STREETS)]


def persons(rng: np.random.Generator, count: int) -> NDArray[np.str_]:
    """Return names that nobody bears: a surname, a heavenly stem and a number."""
    parts = [np.array(list(pool))[rng.integers(0, len(pool), count)]
             for pool in (SURNAMES, STEMS, NUMBERS)]
    return np.char.add(np.char.add(parts[0], parts[1]), parts[2])


def phones(rng: np.random.Generator, count: int) -> NDArray[np.str_]:
    """Return numbers that look like mobiles, in a range given to no subscriber."""
    return np.char.add("140", np.char.zfill(rng.integers(0, 10**8, count).astype(str), 8))


def identity_numbers(rng: np.random.Generator, count: int) -> list[str]:
    """Return 18-digit numbers with a right check digit, of a region that does not exist."""
    weights, checks = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "10X98765432"
    born = [f"19{y:02d}{m:02d}{d:02d}" for y, m, d in zip(
        rng.integers(0, 10, count), rng.integers(1, 13, count), rng.integers(1, 29, count),
        strict=True)]
    bodies = [f"379999{b}{s:03d}" for b, s in zip(born, rng.integers(1, 1000, count),
                                                  strict=True)]
    return [b + checks[sum(int(d) * w for d, w in zip(b, weights, strict=True)) % 11]
            for b in bodies]
