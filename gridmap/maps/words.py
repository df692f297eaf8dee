"""The words of pages, pictures and styles, in English and 中文.

A word is a pair (English, 中文). Names that a user gives may be plain text, which is the
same in both, or such a pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .. import schema
from ..rules import Publication

#: Plain text, or the two languages.
Name = str | tuple[str, str]


class Word(NamedTuple):
    """The same thing in both languages."""

    en: str
    zh: str


#: How the values of a figure are written: count, area, share, number or text.
KINDS: Mapping[str, str] = {
    "area_m2": "area", "compactness": "number", "parts": "count",
    "radius_m": "length", "reach_min": "minutes", "capacity": "count", "floors": "count",
}

FIGURES: Mapping[str, Word] = {
    "territory": Word("Territory", "辖区"),
    "kind": Word("Kind of grid", "网格类型"),
    "households": Word("Households", "户数"),
    "people": Word("People", "人口"),
    "area_m2": Word("Area", "面积"),
    "size_state": Word("Size state", "规模状态"),
    "compactness": Word("Compactness", "紧凑度"),
    "parts": Word("Parts", "块数"),
    "events": Word("Events", "事件"),
    "events_closed_in_grid": Word("Events closed in the grid", "网格内办结"),
    "events_closed_in_grid_share": Word("Closed in the grid", "网格内办结率"),
    "visits": Word("Household visits", "入户走访"),
    "workers": Word("Grid workers", "网格员"),
    "households_in_reach_share": Word("Households in reach", "服务覆盖户数占比"),
    "address": Word("Address", "地址"), "floors": Word("Floors", "层数"),
    "radius_m": Word("Reach", "服务半径"), "reach_min": Word("Reach on foot", "步行可达"),
    "capacity": Word("Capacity in households", "可服务户数"),
}

VALUES: Mapping[str, Word] = {
    "in range": Word("in range", "达标"), "small": Word("too small", "偏小"),
    "large": Word("too large", "偏大"), "not sized": Word("not sized", "不设规模"),
    "comprehensive": Word("comprehensive", "综合网格"), "dedicated": Word("dedicated", "专属网格"),
    "existing": Word("existing", "既有网格"), "other": Word("other", "其他"),
    "kept": Word("kept", "保留"), "changed": Word("changed", "调整"),
    "split": Word("split", "拆分"), "merged": Word("merged", "合并"),
    "recoded": Word("recoded", "换码"), "new": Word("new", "新增"),
    "retired": Word("retired", "撤销"),
    "address": Word("standard address", "标准地址"), "building": Word("building", "建筑"),
    "population": Word("population record", "人口记录"),
    "notice board": Word("notice board", "公示牌"),
    "service centre": Word("service centre", "服务中心"), "hydrant": Word("hydrant", "消火栓"),
    "camera": Word("camera", "摄像头"), "lamp": Word("street lamp", "路灯"),
    "motorway": Word("motorway", "高速公路"), "trunk": Word("trunk road", "干线公路"),
    "primary": Word("main road", "主干路"), "secondary": Word("secondary road", "次干路"),
    "tertiary": Word("minor road", "支路"), "residential": Word("street", "居住街道"),
    "unclassified": Word("local road", "地方道路"), "service": Word("service road", "内部道路"),
    "street": Word("street", "街道"), "main road": Word("main road", "主干路"),
    "track": Word("track", "土路"), "path": Word("path", "小路"),
    "river": Word("river", "河流"), "canal": Word("canal", "运河"),
    "stream": Word("stream", "溪流"),
    "railway": Word("railway", "铁路"), "rail": Word("railway", "铁路"),
    "coast": Word("coastline", "海岸线"), "coastline": Word("coastline", "海岸线"),
    "compound": Word("compound", "小区"), "school": Word("school", "学校"),
    "hospital": Word("hospital", "医院"), "park": Word("park", "公园"),
    "mall": Word("mall", "商场"),
    "office": Word("office building", "写字楼"), "estate": Word("industrial estate", "园区"),
    "county": Word("counties", "县（市、区）"), "town": Word("towns", "乡镇（街道）"),
    "community": Word("communities", "社区（村）"), "village": Word("villages", "村"),
}

#: What the page itself says.
PAGE: Mapping[str, Word] = {
    "panel": Word("Map panel", "地图面板"),
    "map": Word("Map", "地图"),
    "fold": Word("Fold or unfold the panel", "折叠或展开面板"),
    "grids": Word("{n} grids", "{n} 个网格"),
    "grids places": Word("{n} places", "{n} 处"),
    "sum": Word("{n} {figure}", "{figure} {n}"),
    "figure": Word("Figure", "指标"),
    "method": Word("Classes by", "分级方法"),
    "method quantiles": Word("quantiles", "分位数"),
    "method natural breaks": Word("natural breaks", "自然间断"),
    "method equal intervals": Word("equal intervals", "等间距"),
    "method given": Word("given bounds", "设定界限"),
    "method own": Word("bounds of your own …", "自定义界限…"),
    "ownBreaks": Word("upper bounds, such as 100; 200; 300", "各级上限，如 100; 200; 300"),
    "legend": Word("Legend", "图例"),
    "legendNote": Word("Grids in each class. Press one to hide it.", "各级网格数。点按可隐藏。"),
    "legendNote places": Word("Places in each class. Press one to hide it.",
                              "各类处数。点按可隐藏。"),
    "unknown": Word("unknown", "未知"),
    "inapplicable": Word("not applicable", "不适用"),
    "withheld": Word("withheld (small count)", "不公开（数量过小）"),
    "other": Word("other", "其他"),
    "search": Word("Search code or name", "搜索编码或名称"),
    "searchAddress": Word("Search code, name or address", "搜索编码、名称或地址"),
    "hits": Word("What was found", "找到的内容"),
    "here": Word("At this place", "此处"),
    "inGrid": Word("Grid", "网格"),
    "moreHere": Word("and {n} more", "另有 {n} 个"),
    "found": Word("{n} found", "找到 {n} 个"),
    "noHit": Word("Nothing found", "没有找到"),
    "close": Word("Close", "关闭"),
    "place": Word("Territory", "辖区"),
    "allPlaces": Word("all", "全部"),
    "code": Word("Code", "编码"),
    "table": Word("Table of grids", "网格表"),
    "table places": Word("Table of places", "不一致之处列表"),
    "filterTable": Word("Filter by code or name", "按编码或名称筛选"),
    "rows": Word("{n} rows", "{n} 行"),
    "saveCsv": Word("Save as CSV", "导出 CSV"),
    "measure": Word("Measure", "测量"),
    "measureHint": Word("Click on the map; Escape ends", "在地图上点击；按 Esc 结束"),
    "measured": Word("Length {length}", "长度 {length}"),
    "measuredArea": Word("area {area}", "面积 {area}"),
    "share": Word("Share this view", "分享当前视图"),
    "shareLink": Word("Address of this view", "当前视图的地址"),
    "shareNote": Word("Opens this page at the same place, figure and grid.",
                      "打开后位置、指标与所选网格相同。"),
    "copy": Word("Copy", "复制"),
    "copied": Word("Copied", "已复制"),
    "copyByHand": Word("Selected: copy it with Ctrl+C", "已选中，请按 Ctrl+C 复制"),
    "print": Word("Print", "打印"),
    "divider": Word("Divider between the two states", "前后对比分隔线"),
    "sideBySide": Word("Side by side", "并排对比"),
    "period": Word("Period", "时期"),
    "play": Word("Play", "播放"),
    "pause": Word("Pause", "暂停"),
    "faults": Word("{n} found in the input", "输入数据中发现 {n} 处"),
    "severities": Word("Show by severity", "按严重程度显示"),
    "filterFaults": Word("Filter by code, file or kind", "按编码、文件或类型筛选"),
    "noFaults": Word("Nothing was found", "没有发现问题"),
    "noPlace": Word("no place", "无位置"),
    "moreFaults": Word("Show more ({n} left)", "显示更多（还有 {n} 处）"),
    "leftFaults": Word("{n} more are in check.json only.", "另有 {n} 处仅列于 check.json。"),
    "coarseFaults": Word("Single elements are shown to within 100 m.",
                         "单个要素的位置精确到 100 米以内。"),
    "where": Word("Where", "位置"),
    "areaOf": Word("Area", "面积"),
    "why": Word("Why", "说明"),
    "toDo": Word("What to do", "处理办法"),
    "tools": Word("Tools", "工具"),
    "layers": Word("Layers", "图层"),
    "opacity": Word("Opacity", "不透明度"),
    "base": Word("Base map", "底图"),
    "baseFrom": Word("from {machine}", "来自 {machine}"),
    "baseFailed": Word("{machine} does not answer", "{machine} 无响应"),
    "few": Word("few", "少"),
    "many": Word("many", "多"),
    "otherLanguage": Word("中文", "English"),
    "switchLanguage": Word("显示中文", "Show English"),
}

LAYERS: Mapping[str, Word] = {
    "grids": Word("Grids", "网格"), "territories": Word("Territories", "辖区"),
    "land": Word("Land", "陆地"), "barriers": Word("Roads and water", "道路与水系"),
    "sites": Word("Compounds and sites", "小区与专属场所"), "assets": Word("Assets", "部件"),
    "reach": Word("Reach of assets", "部件服务范围"), "elements": Word("Elements", "要素"),
    "buildings": Word("Buildings", "建筑"), "events": Word("Events", "事件"),
}


def as_word(name: Name) -> Word:
    """Return a user's name as a word.

    Examples
    --------
    >>> as_word("Plan B")
    Word(en='Plan B', zh='Plan B')
    >>> as_word(("Grids", "网格")).zh
    '网格'
    """
    return Word(name, name) if isinstance(name, str) else Word(*name)


def name_figure(figure: str, labels: Mapping[str, Name] | None = None) -> Word:
    """Return what a figure is called: the user's label, ours, or its column in plain words.

    Examples
    --------
    >>> name_figure("households").zh
    '户数'
    >>> name_figure("notice_boards")
    Word(en='Notice boards', zh='公示牌')
    """
    if labels and figure in labels:
        return as_word(labels[figure])
    if figure in FIGURES:
        return FIGURES[figure]
    plain = figure.replace("_", " ").strip()
    known = VALUES.get(plain.removesuffix("s")) or VALUES.get(plain)
    english = plain[:1].upper() + plain[1:]
    return Word(english, known.zh) if known else Word(english, english)


def name_value(value: str) -> Word:
    """Return what a value such as "in range" is called; unknown ones stay what they are.

    Examples
    --------
    >>> name_value("large"), name_value("<b>")
    (Word(en='too large', zh='偏大'), Word(en='<b>', zh='<b>'))
    """
    return VALUES.get(value, Word(value, value))


def kind_of(figure: str) -> str:
    """Return how a numeric figure is written: count, area, share, length, minutes or number.

    Examples
    --------
    >>> kind_of("area_m2"), kind_of("built_share"), kind_of("households"), kind_of("weight")
    ('area', 'share', 'count', 'number')
    """
    if figure in KINDS:
        return KINDS[figure]
    if figure.endswith("_share"):
        return "share"
    if figure.endswith("_m2"):
        return "area"
    known = {column.name: column.kind for column in schema.BY_GRID.columns}
    return "count" if known.get(figure) == "count" else "number"


def describe_publication(publication: Publication | None, credits: str = "") -> Word:  # noqa: A002
    """Return the line that says which profile made an output, and the notices of sources.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> describe_publication(load_publication("shared")).en
    'gridmap · publication profile "shared": counts below 10 withheld, no single elements'
    >>> describe_publication(None).en
    'gridmap'
    """
    english, chinese = ["gridmap"], ["gridmap"]
    if publication is not None:
        small = (f"counts below {publication.smallest} withheld",
                 f"小于 {publication.smallest} 的数不公开")
        if publication.smallest <= 1:
            small = ("small counts shown", "小数目不隐藏")
        single = ("single elements shown", "含单个要素") if publication.elements else (
            "no single elements", "不含单个要素")
        english.append(f'publication profile "{publication.name}": {small[0]}, {single[0]}')
        chinese.append(f"发布规则“{publication.name}”：{small[1]}，{single[1]}")
    if credits:
        english.append(credits)
        chinese.append(credits)
    return Word(" · ".join(english), " · ".join(chinese))
