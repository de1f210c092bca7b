"""Records: what they check, how they word it, and the way to conf and back."""

from dataclasses import FrozenInstanceError, field
from typing import Annotated, ClassVar, Literal

import pytest

from sparkdl.base.checks import Count, Flag, Positive, Text, UnitInterval
from sparkdl.base.errors import ConfError
from sparkdl.base.record import OneOf, from_conf, record, to_conf
from sparkdl.base.registry import Registry


class Shape:
    of_kind: ClassVar[bool] = True


SHAPES: Registry[type[Shape]] = Registry("shape")


@record
class Disc(Shape):
    radius: Positive = 1.0
    name: Text | None = field(default=None, kw_only=True)


@record
class Box(Shape):
    width: Count
    sides: tuple[Count, Count] = (1, 1)
    mode: Literal["open", "shut"] = "shut"


SHAPES.add("Disc", Disc)
SHAPES.add("Box", Box)
AnyShape = Annotated[Shape, OneOf(SHAPES)]


@record
class Pen:
    ink: UnitInterval = 0.5
    dry: Flag = False


@record
class Drawing:
    shapes: tuple[AnyShape, ...]
    pen: Pen = field(default_factory=Pen)


WRONG = [
    (lambda: Box(0), "Box: width must be an int >= 1. Got 0."),
    (lambda: Box("3"), "Box: width must be an int >= 1. Got '3'."),
    (lambda: Box(True), "Box: width must be an int >= 1. Got True."),
    (lambda: Box(), "Box needs 'width': an int >= 1."),
    (lambda: Box(1, sides=(1, -2)), "Box: sides must be a list of 2: an int >= 1, an int >= 1. Got -2 at sides[1]."),
    (lambda: Box(1, mode="ajar"), "Box: mode must be 'open' or 'shut'. Got 'ajar'."),
    (lambda: Box(wdith=1), "Box has no field 'wdith'. Did you mean 'width'? Known: width, sides, mode."),
    (lambda: Disc(float("nan")), "Disc: radius must be a finite number > 0. Got nan."),
    (lambda: Pen(ink=1.5), "Pen: ink must be a finite number >= 0 and <= 1. Got 1.5."),
    (lambda: Pen(dry="yes"), "Pen: dry must be true or false. Got 'yes'."),
    (lambda: Drawing(["Dics"]), "shapes[0]: no shape named 'Dics'. Did you mean 'Disc'? Known: Box, Disc."),
    (lambda: Drawing([{"radius": 1.0}]), "shapes[0]: a shape needs 'type'. Got ['radius']."),
    (lambda: Drawing([7]), "shapes[0]: must be a shape: a name, a table with 'type', or a record. Got 7."),
    (lambda: Drawing([{"type": "Box", "width": -1}]), "shapes[0]: Box: width must be an int >= 1. Got -1."),
    (lambda: Drawing([], pen={"ink": 2}), "pen: Pen: ink must be a finite number >= 0 and <= 1. Got 2."),
    (lambda: Drawing([], pen={"inc": 2}), "pen: Pen has no field 'inc'. Did you mean 'ink'? Known: ink, dry."),
]


@pytest.mark.parametrize(("make", "said"), WRONG)
def test_wrong_values_are_named(make: object, said: str) -> None:
    with pytest.raises(ConfError) as caught:
        make()  # type: ignore[operator]
    assert str(caught.value) == said


def test_names_tables_and_records_make_the_same() -> None:
    made = Drawing(["disc", {"type": "Disc"}, Disc(), Box(2, [3, 4])])
    assert made.shapes[0] == made.shapes[1] == made.shapes[2] and made.shapes[3].sides == (3, 4)


def test_round_trip() -> None:
    made = Drawing([Box(2, mode="open"), Disc(2, name="d")], Pen(1))
    conf = to_conf(made)
    assert conf["shapes"][0] == {"type": "Box", "width": 2, "sides": [1, 1], "mode": "open"}
    assert from_conf(Drawing, conf) == made and hash(from_conf(Drawing, conf)) == hash(made)


def test_path_from_outside() -> None:
    with pytest.raises(ConfError, match=r"^job\.drawing\.shapes\[1\]: Box needs 'width'"):
        from_conf(Drawing, {"shapes": ["Disc", {"type": "Box"}]}, "job", "drawing")


def test_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Box(1).width = 2
