"""What a fault is called, and what to do about it, in English and 中文."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .words import Word


class FaultWords(NamedTuple):
    """A kind of fault in words."""

    name: Word
    advice: Word


SEVERITIES: Mapping[str, Word] = {
    "blocks the run": Word("blocks the run", "阻断运行"),
    "mended": Word("mended", "已修补"),
    "look at this": Word("look at this", "请查看"),
}

#: Colours of severities: told apart under colour blindness, and on the ground of a map.
COLOURS: Mapping[str, str] = {
    "blocks the run": "#9b1c31", "mended": "#0072b2", "look at this": "#d97706",
}

_SOURCE = Word("mend it in the source, or leave the row out", "请在源数据中修正，或删除该行")
_TEXT = Word("write codes as text in the source, never as numbers",
             "源数据中的编码应存为文本，不要存为数字")
_BORDER = Word("nothing: the run mends it; correct the source to be rid of it",
               "无需处理：运行时会修补；修正源数据可彻底消除")
NOTHING = Word("nothing to do", "无需处理")
_PERSONAL = Word("nothing: it never enters; better not to have it in the file",
                 "无需处理：不会读入；文件中最好不要包含")
_LOOK = Word("look at the place and decide which of the two is right",
             "请查看该处，判断以何者为准")

_KINDS: Mapping[str, tuple[str, Word]] = {
    # places of the tiling
    "gap": ("空隙", _BORDER),
    "gap open to the outside": ("向外开口的空隙", _BORDER),
    "gap left": ("未填补的空隙", Word("say that it is a hole that is meant, or close it in the "
                               "source", "如属有意留空请声明，否则在源数据中闭合")),
    "overlap": ("重叠", _BORDER),
    "sliver": ("碎屑面", _BORDER),
    "outside its parent": ("超出上级边界", _BORDER),
    "overlap of work grids": ("工作网格重叠", _LOOK),
    # elements
    "outside every territory": ("不在任何辖区内", Word(
        "correct its place, or leave the row out: no grid will take it",
        "请修正其位置或删除该行：没有网格可归属")),
    "on a border": ("位于边界上", Word("nothing: the territory whose code sorts first takes it",
                               "无需处理：归入编码靠前的辖区")),
    "same place as another": ("与另一要素同处", Word(
        "if they are one thing, keep one row of them", "如为同一事物，请只保留一行")),
    # rows that were rejected
    "no place": ("无位置", Word("give the row coordinates, or leave it out",
        "请补充坐标，或删除该行")),
    "row repeated": ("整行重复", Word("nothing: one of them is kept", "无需处理：只保留一行")),
    "code repeated": ("编码重复", Word("give each row a code of its own", "请为每行设定唯一编码")),
    "part of a code repeated": ("同一编码的另一部分", Word(
        "join the parts of one thing to one multipart row", "请将同一事物的各部分合并为一行")),
    "code missing": ("缺少编码", Word("give the row a code, or leave it out",
        "请补充编码，或删除该行")),
    "code unreadable": ("编码无法识别", _TEXT),
    "territory unreadable": ("辖区编码无法识别", _TEXT),
    "code is personal": ("编码为个人号码", Word("choose another column for the code",
                                       "请另选一列作为编码")),
    "code of another file": ("编码已在其他文件中", Word(
        'tell the files apart with prefix = "…"', '请用 prefix = "…" 区分各文件')),
    "code not found": ("编码不存在", Word("correct the code in the table, or leave the row out",
                                  "请更正表中的编码，或删除该行")),
    "row unreadable": ("该行无法读取", _SOURCE),
    # rows and files that were altered or noticed
    "code mended": ("编码已修补", _TEXT),
    "territory mended": ("辖区编码已修补", _TEXT),
    "territory blank": ("辖区编码空缺", Word(
        "nothing: its place decides; fill the code in the source",
        "无需处理：以位置为准；可在源数据中补齐")),
    "made valid": ("几何已修补", _SOURCE),
    "gap filled": ("空隙已填补", _BORDER),
    "overlap decided": ("重叠已归属", _BORDER),
    "cut at the parent": ("已按上级边界裁切", _BORDER),
    "border matched": ("边界已对齐", _BORDER),
    "swallowed": ("被完全覆盖", _LOOK),
    "parts of one thing": ("同一事物的多个部分", Word(
        "decide whether the figures are of the part or of the whole, and join the parts",
        "请判断数值属于部分还是整体，并合并各部分")),
    "encoding": ("文字编码", NOTHING),
    "CRS said by the user": ("坐标系由用户声明", NOTHING),
    "offset undone": ("坐标偏移已还原", NOTHING),
    "personal column left out": ("个人信息列已剔除", _PERSONAL),
    "personal number left out": ("个人号码已剔除", _PERSONAL),
    "personal values": ("含个人号码的列", _PERSONAL),
    "rows not asked for": ("未请求的行", NOTHING),
    "no figure given": ("没有给出数值", Word("fill the figure in the table",
        "请在表中补齐该数值")),
    "scheme overlaps itself": ("部门网格自身重叠", _LOOK),
    "territory differs from its grids": ("辖区与其网格不一致", _LOOK),
    "territory unknown": ("辖区不存在", Word("correct the code, or add the territory",
                                     "请更正编码，或补充该辖区")),
    "file cut short": ("文件被截断", Word("fetch the file again, whole", "请重新获取完整文件")),
    "file without rows": ("文件没有数据行", Word("see whether rows should be in it",
                                          "请确认文件中是否应有数据")),
    "text cut short": ("文字被截断", Word(
        "the field was too short for the text: take it from another source",
        "字段长度不足，请从其他来源取得完整文字")),
    "noticed by the reader": ("读取时的提示", NOTHING),
    "read feature by feature": ("逐要素读取", Word(
        "the file is damaged: fetch it again", "文件已损坏，请重新获取")),
    "rows marked as deleted": ("标记为删除的行", NOTHING),
    "characters unreadable": ("字符无法识别", Word(
        'say the encoding: encoding = "…"', '请声明编码：encoding = "…"')),
    "characters left out of codes": ("编码中略去的字符", NOTHING),
    "households derived": ("户数由人口推算", NOTHING),
    "total unknown": ("总数未知", Word("give its territory a figure, or correct its place",
                                  "请为所在辖区补充数值，或修正其位置")),
    "spread evenly": ("平均分摊", NOTHING), "spread over all kinds": ("按全部类型分摊", NOTHING),
    "part given": ("部分已划出", _BORDER), "part joined": ("部分已并入", _BORDER),
    "period missing": ("缺少时期", _SOURCE),
    # evidence about coordinates
    "axes swapped": ("坐标轴颠倒", _SOURCE),
    "degrees in a CRS in metres": ("度值标为米制坐标系", _SOURCE),
    "metres in a CRS in degrees": ("米值标为度制坐标系", _SOURCE),
    "another zone": ("投影带不符", _SOURCE),
    "another CRS": ("坐标系不符", _SOURCE),
    "CRS missing": ("缺少坐标系", Word("say which CRS the coordinates are in", "请声明坐标系")),
    "no CRS fits": ("没有相符的坐标系", Word("ask where the file comes from", "请询问文件来源")),
    "coordinates shifted": ("坐标有偏移", Word("declare the offset", "请声明偏移类型")),
    "offset not needed": ("无需还原偏移", Word("leave the offset out", "请去掉偏移声明")),
    "offset not checked": ("未检查偏移", Word(
        "hold it against a layer that is known to be right: --reference FILE",
        "请用可靠图层核对：--reference 文件")),
    "figures repeated on parts": ("数值在各部分重复", Word(
        "count each figure once for all parts of a code", "同一编码各部分的数值只应计一次")),
    "columns guessed": ("列已推定", Word("if it is wrong, say it: --code COLUMN, --kind KIND",
                                 "如有误请声明：--code 列名，--kind 类型")),
    # what stops a run
    "file cannot be used": ("文件无法使用", Word("mend it as the message says", "请按提示处理")),
    "inputs do not fit together": ("输入相互矛盾", Word("mend it as the message says",
        "请按提示处理")),
}

FAULTS: Mapping[str, FaultWords] = {
    what: FaultWords(Word(what, chinese), advice) for what, (chinese, advice) in _KINDS.items()
}

_REJECTED = "rejected: "


#: Faults of a column begin with its name: "people unreadable", "parent mended".
_OF_COLUMNS: Mapping[str, FaultWords] = {
    " unreadable": FaultWords(Word(" unreadable", "无法识别"), _SOURCE),
    " mended": FaultWords(Word(" mended", "已修补"), _TEXT),
    " missing": FaultWords(Word(" missing", "缺失"), _SOURCE),
    " blank": FaultWords(Word(" blank", "空缺"), NOTHING),
    " below 0": FaultWords(Word(" below 0", "小于 0"), _SOURCE),
}


def name_fault(what: str) -> Word:
    """Return what a fault is called; an unknown one stays what it is.

    Examples
    --------
    >>> name_fault("gap").zh, name_fault("rejected: no place").zh
    ('空隙', '未采用：无位置')
    >>> name_fault("people unreadable").zh
    'people 无法识别'
    >>> name_fault("something new")
    Word(en='something new', zh='something new')
    """
    bare = what.removeprefix(_REJECTED)
    known = _find(bare)
    chinese = known.name.zh if known else bare
    return Word(what, f"未采用：{chinese}" if bare != what else chinese)


def advise(what: str) -> Word:
    """Return what to do about a fault, in general.

    Examples
    --------
    >>> advise("rejected: code repeated").en
    'give each row a code of its own'
    >>> advise("grid mended").en
    'write codes as text in the source, never as numbers'
    """
    known = _find(what.removeprefix(_REJECTED))
    return known.advice if known else Word("look at it", "请查看")


def _find(what: str) -> FaultWords | None:
    if what in FAULTS:
        return FAULTS[what]
    for ending, words in _OF_COLUMNS.items():
        if what.endswith(ending):
            column = what.removesuffix(ending)
            return FaultWords(Word(what, f"{column} {words.name.zh}"), words.advice)
    return None
