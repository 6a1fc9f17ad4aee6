"""Cases of each operator: its attributes, types, layouts, where its inputs come from."""

import itertools

import numpy as np

RANDOM = np.random.RandomState(7)
FLOATS = ["float32", "float16", "float64"]
INTS = ["int32", "int64", "uint8", "int8", "int16", "uint16", "uint32", "uint64"]
ALL = FLOATS + INTS


def f(*shape, kind="float32", low=-2.0, high=2.0):
    return RANDOM.uniform(low, high, shape).astype(kind)


def n(*shape, kind="float32"):
    """Numbers that every type holds; none is 0."""
    kind = np.dtype(kind)
    if kind.kind == "b":
        return RANDOM.randint(0, 2, shape).astype(bool)
    if kind.kind == "f":
        return f(*shape, kind=kind)
    numbers = RANDOM.randint(1, 9, shape)
    return (numbers if kind.kind == "u" else numbers * RANDOM.choice([-1, 1], shape)).astype(kind)


def i32(*numbers):
    return np.array(numbers, np.int32)


def i64(*numbers):
    return np.array(numbers, np.int64)


class Family:
    def __init__(self, writer):
        self.writer = writer
        self.count = {}

    def __call__(self, op, arrays, stored=None, outputs=1, note="", **attributes):
        """A case, or several where `stored` is not told: all given, those behind the first in the
        file, the first in the file, all in it; and once with what repeats left out."""
        every = range(len(arrays))
        sets = [stored] if stored is not None else [(), tuple(every[1:]), tuple(every[:1]), tuple(every)]
        for where in dict.fromkeys(tuple(s) for s in sets):
            number = self.count[op] = self.count.get(op, 0) + 1
            kinds = "-".join(np.asarray(a).dtype.name for a in arrays[:1])
            name = f"tf-{op}-{number}/{note or kinds}"
            self.writer.emit(name, op, arrays, where, outputs, attributes)
            if number == 1:
                self.writer.emit(f"{name}/defaults-left-out", op, arrays, where, outputs, attributes, strip=True)
        if (op, len(arrays)) not in self.count:
            self.count[(op, len(arrays))] = 1
            for index, how in itertools.product(every, ("shape", "stored")):
                rest = tuple(n for n in stored or () if n != index)
                self.writer.emit(f"tf-{op}-derived-{len(arrays)}-{index}-{how}", op, arrays, rest, outputs, attributes, derived=(index, how))

    def valued(self, op, arrays, valued, **rest):
        """The inputs of these places are like attributes: in the file, and once given."""
        self(op, arrays, stored=valued, **rest)
        if (op, "given") not in self.count:
            self.count[(op, "given")] = 1
            self(op, arrays, stored=(), note="given", **rest)
        if (op, "stored") not in self.count:
            self.count[(op, "stored")] = 1
            self(op, arrays, stored=tuple(range(len(arrays))), note="stored", **rest)


def write(writer):
    case = Family(writer)
    for family in (unary, binary, choice, basic, constants, shapes, joins, slices, edges, lookups, reductions, windows, channels, products, blocks, quantised, recurrent):
        family(case)


UNARY = """Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Elu Erf Erfc Exp Floor Inv LeakyRelu Log Neg Reciprocal Relu
Relu6 Rint Round Rsqrt Selu Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Square Tan Tanh""".split()
RANGE = {"Acos": (-0.9, 0.9), "Asin": (-0.9, 0.9), "Atanh": (-0.9, 0.9), "Acosh": (1.1, 3), "Log": (0.1, 9), "Sqrt": (0, 9), "Rsqrt": (0.1, 9), "Tan": (-1.2, 1.2)}
WIDE = ("Sigmoid", "Tanh", "Softplus", "Elu", "Selu", "Relu", "Relu6", "Erf", "Erfc", "Softsign", "Exp")


def unary(case):
    for op in UNARY:
        low, high = RANGE.get(op, (-2.0, 2.0))
        for kind in ALL:
            x = f(2, 3, 4, kind=kind, low=low, high=high) if kind in FLOATS else n(2, 3, 4, kind=kind)
            case(op, [x], stored=())
        for shape in ((), (5,), (2, 3), (1, 2, 3, 4)):
            case(op, [f(*shape, low=low, high=high)])
        if op in WIDE:
            wide = np.array([-80, -30, -9, -6.5, -1e-3, 0, 1e-3, 5.99, 6.01, 9, 30, 80], np.float32)
            case(op, [wide], note="wide")
            case(op, [wide / 16], note="narrow")
        if op in ("Round", "Rint", "Ceil", "Floor"):
            for kind in FLOATS:
                case(op, [np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.0, -7.2], kind)], note=f"halves-{kind}")
    for alpha in (0.0, 0.3, -0.5, 1.5):
        for kind in FLOATS:
            case("LeakyRelu", [f(3, 4, kind=kind)], alpha=alpha)
    case("LogicalNot", [n(3, 4, kind="bool")])


BINARY = """Add AddV2 Sub Mul Div RealDiv FloorDiv FloorMod Mod TruncateDiv TruncateMod Maximum Minimum Pow SquaredDifference Equal
NotEqual Greater GreaterEqual Less LessEqual""".split()
PAIRS = [((2, 3), (2, 3)), ((2, 3), ()), ((), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 3), (2, 1)), ((2, 1, 3), (1, 4, 1)), ((4, 2, 3), (2, 3)), ((1, 2, 3, 4), (4,)), ((), ()), ((5,), (1,))]


def binary(case):
    for op in BINARY:
        for kind in ALL:
            x, y = n(3, 4, kind=kind), n(3, 4, kind=kind)
            if op == "Pow":
                x, y = abs(x), abs(y) if kind in FLOATS else (abs(y) % 3).astype(kind)
            case(op, [x, y], stored=())
            case(op, [x, y], stored=(1,))
            case(op, [x, y[:1]], stored=(1,), note=f"row-{kind}")
        for left, right in PAIRS:
            x, y = n(*left), n(*right)
            case(op, [abs(x) if op == "Pow" else x, y], note="spread")
        for number in (1.0, 2.0, 0.5, -1.0, 3.0):
            case(op, [f(3, 4, low=0.1) if op == "Pow" else f(3, 4), np.float32(number)], stored=(1,), note=f"by-{number}")
        for number in (1, 2, 3, 4):
            for kind in ("int32", "uint8", "int64"):
                case(op, [n(3, 4, kind=kind), np.array(number, kind)], stored=(1,), note=f"by-{number}-{kind}")
        equal = np.array([1, -1, 2, 0, 7, -7], np.float32)
        case(op, [equal, np.array([1, 1, 2, 3, 2, 2], np.float32)], note="whole")
        case(op, [equal.astype(np.int32), np.array([1, 1, 2, 3, 2, -2], np.int32)], note="whole-int")
    for op in ("LogicalAnd", "LogicalOr"):
        for left, right in PAIRS[:6]:
            case(op, [n(*left, kind="bool"), n(*right, kind="bool")])
    for op in ("Equal", "NotEqual"):
        case(op, [n(3, 4, kind="bool"), n(3, 4, kind="bool")])
    for kind in ALL:
        for count in (1, 2, 3):
            case("AddN", [n(2, 3, kind=kind) for _ in range(count)])
    for kind in ALL:
        case("ClipByValue", [n(3, 4, kind=kind), np.array(1, kind), np.array(5, kind)], stored=(1, 2))
    case("ClipByValue", [f(3, 4), np.float32(-1), np.float32(0.5)])


def choice(case):
    for kind in ALL + ["bool"]:
        case("Select", [n(2, 3, kind="bool"), n(2, 3, kind=kind), n(2, 3, kind=kind)], stored=())
        case("SelectV2", [n(2, 3, kind="bool"), n(2, 3, kind=kind), n(2, 3, kind=kind)], stored=())
    case("Select", [n(2, kind="bool"), f(2, 3), f(2, 3)])
    case("Select", [np.array(True), f(2, 3), f(2, 3)])
    case("SelectV2", [n(2, 1, kind="bool"), f(2, 3), f(3)])
    case("SelectV2", [np.array(False), f(2, 3), np.float32(0)])
    case("SelectV2", [n(3, kind="bool"), f(3), f(2, 3)])


def basic(case):
    for op in ("Identity", "StopGradient", "Snapshot", "PreventGradient"):
        for kind in ALL + ["bool"]:
            case(op, [n(2, 3, kind=kind)])
    for kind in ("float32", "int32"):
        for count in (1, 2):
            case("IdentityN", [n(2, kind=kind), f(3)][:count], outputs=count, T=[kind, "float32"][:count])
    for source, target in itertools.product(ALL + ["bool"], repeat=2):
        x = np.array([0.2, 1.9, 3.5, 7], source) if source in FLOATS else n(4, kind=source)
        if source not in ("bool",) and not source.startswith("u"):
            x = np.concatenate([x, -x]) if not target.startswith("u") else abs(x)
        case("Cast", [x], stored=(), note=f"{source}-{target}", DstT=target)
    case("Cast", [f(2, 3)], stored=(0,), DstT="float64")
    for op in ("ZerosLike", "OnesLike"):
        for kind in ALL + ["bool"]:
            case(op, [n(2, 3, kind=kind)])


def constants(case):
    """How numbers are stored: as bytes, one by one, without those that repeat. And inputs."""
    for kind in ALL + ["bool"]:
        for array in (n(2, 3, kind=kind), np.ones((2, 3), kind), np.array([3, 1, 1, 1]).astype(kind), np.zeros((2, 2), kind), n(kind=kind), np.array([5]).astype(kind)):
            for listed in (False, True):
                number = case.count["Const"] = case.count.get("Const", 0) + 1
                case.writer.emit(f"tf-Const-{number}/{kind}", "Identity", [array], (0,), 1, {}, subject="c0", listed=listed)
    for kind in ("float32", "float16", "float64", "uint8", "int32", "int64"):
        for shape in ((), (5,), (2, 3)):
            case.writer.emit(f"tf-Placeholder-{kind}-{len(shape)}", "Identity", [n(*shape, kind=kind)], (), 1, {}, subject="i0")


def shapes(case):
    for out_type in ("int32", "int64"):
        for op in ("Shape", "Size"):
            for kind in ("float32", "float16", "float64", "int32", "uint8", "bool"):
                case(op, [n(2, 3, 4, kind=kind)], out_type=out_type)
            for shape in ((), (5,)):
                case(op, [f(*shape)], out_type=out_type)
    for kind in ("float32", "int32", "bool"):
        case("Rank", [n(2, 3, kind=kind)])
    for kind in ALL + ["bool"]:
        case.valued("Reshape", [n(2, 3, 4, kind=kind), i32(4, 6)], (1,))
    for shape in (i32(4, 6), i64(4, 6), i32(-1, 6), i32(24), i32(-1), i32(2, -1, 2), i32(1, 2, 3, 4), i64(2, 3, 4, 1, -1)):
        case.valued("Reshape", [f(2, 3, 4), shape], (1,), note="shape")
    case.valued("Reshape", [f(1), np.zeros(0, np.int32)], (1,), note="scalar")
    case.valued("Reshape", [f(), i32(1, 1)], (1,), note="of-scalar")
    for kind in ("float32", "float16", "float64", "int32", "int64", "uint8", "bool"):
        case.valued("ExpandDims", [n(2, 3, kind=kind), np.int32(1)], (1,))
        case("Squeeze", [n(1, 2, 1, kind=kind)], squeeze_dims=[])
        case.valued("Transpose", [n(2, 3, 4, kind=kind), i32(2, 0, 1)], (1,))
    for axis in (0, 1, 2, -1, -2, -3):
        for kind in (np.int32, np.int64):
            case.valued("ExpandDims", [f(2, 3), kind(axis)], (1,), note=f"axis-{axis}")
            case.valued("ExpandDims", [f(2, 3), np.array([axis], kind)], (1,), note=f"list-{axis}")
    for dims in ([0], [2], [0, 2], [2, 0], [-1], [-1, 0], [-3], [0, -1, 3]):
        case("Squeeze", [f(1, 3, 1, 1) if 3 in dims or -3 not in dims else f(2, 1, 3, 1)], note="dims", squeeze_dims=dims)
    case("Squeeze", [f(2, 1, 1, 5)], note="pooled", squeeze_dims=[1, 2])
    for kind in (np.int32, np.int64):
        for order in ([1, 0, 2], [0, 1, 2], [2, 1, 0], [0, 2, 1], [-1, 0, 1]):
            case.valued("Transpose", [f(2, 3, 4), np.array(order, kind)], (1,), note="order")
        for order in ([0, 3, 1, 2], [0, 2, 3, 1], [1, 0]):
            case.valued("Transpose", [f(*range(2, 2 + len(order))), np.array(order, kind)], (1,), note="order")
        for dims in ([2, 3], [], [4], [1, 2, 3, 2]):
            for number in (np.float32(1.5), np.float16(1.5), np.float64(0.1), np.int32(3), np.int64(3), np.uint8(3), np.bool_(True)):
                case.valued("Fill", [np.array(dims, kind), number], (0, 1))
            case.valued("Fill", [np.array(dims, kind), np.float32(0.5)], (0,), note="number-given")
    for ends in ((0, 5, 1), (2, 9, 3), (5, 0, -2), (3, 3, 1)):
        for kind in ("int32", "int64", "float32", "float64"):
            case.valued("Range", list(np.array(ends, kind)), (0, 1, 2))
    case.valued("Range", [np.float32(0), np.float32(1), np.float32(0.1)], (0, 1, 2), note="tenths")
    for kind in ("float32", "float16", "float64", "int32", "int64", "uint8", "bool"):
        case.valued("Tile", [n(2, 3, kind=kind), i32(2, 3)], (1,))
    for times in (i32(1, 2), i64(3, 1), i32(1, 1)):
        case.valued("Tile", [f(2, 3), times], (1,), note="times")
    case.valued("Tile", [f(2, 1, 3), i32(1, 4, 1)], (1,), note="times")


def joins(case):
    for kind in ALL + ["bool"]:
        x, y = n(2, 3, kind=kind), n(2, 4, kind=kind)
        case.valued("ConcatV2", [x, y, np.int32(1)], (2,))
        case.valued("Concat", [np.int32(1), x, y], (0,))
        case("Pack", [x, x + x if kind != "bool" else x], axis=0)
    for axis, other in ((0, f(5, 3)), (1, f(2, 5)), (-1, f(2, 5)), (-2, f(5, 3))):
        case.valued("ConcatV2", [f(2, 3), other, np.int32(axis)], (2,), note=f"axis-{axis}")
        case.valued("ConcatV2", [f(2, 3), other, np.int64(axis)], (2,), note=f"axis-{axis}-int64")
        case.valued("ConcatV2", [f(2, 3), other, f(2, 3) if axis in (0, 1, -1, -2) else other, np.int32(axis)], (0, 3), note=f"three-{axis}")
        case.valued("Concat", [np.int32(axis), f(2, 3), other], (0,), note=f"axis-{axis}")
    case.valued("ConcatV2", [f(1, 2, 2, 3), f(1, 2, 2, 1), f(1, 2, 2, 4), np.int32(3)], (3,), note="channels")
    case.valued("Concat", [np.int32(3), f(1, 2, 2, 3), f(1, 2, 2, 1), f(1, 2, 2, 4)], (0,), note="channels")
    case("AddN", [f(2, 3)])
    for axis in (0, 1, 2, -1, -2, -3):
        case("Pack", [f(2, 3), f(2, 3)], note=f"axis-{axis}", axis=axis)
    for count in (1, 3):
        case("Pack", [f() for _ in range(count)], note="numbers", axis=0)
    for kind in ALL + ["bool"]:
        case.valued("Split", [np.int32(1), n(2, 6, kind=kind)], (0,), outputs=3, num_split=3)
        case.valued("SplitV", [n(2, 6, kind=kind), i32(1, 3, 2), np.int32(1)], (1, 2), outputs=3, num_split=3)
        case("Unpack", [n(3, 2, kind=kind)], outputs=3, num=3, axis=0)
    for axis in (0, 1, -1, -2):
        case.valued("Split", [np.int32(axis), f(4, 6)], (0,), outputs=2, note=f"axis-{axis}", num_split=2)
        case.valued("SplitV", [f(4, 4), i64(1, 3), np.int32(axis)], (1, 2), outputs=2, note=f"axis-{axis}", num_split=2)
        case.valued("SplitV", [f(4, 4), i32(1, -1), np.int32(axis)], (1, 2), outputs=2, note=f"rest-{axis}", num_split=2)
        case("Unpack", [f(2, 2)], outputs=2, note=f"axis-{axis}", num=2, axis=axis)
    case.valued("Split", [np.int32(1), f(2, 6)], (0,), outputs=1, note="first", num_split=3)
    case("Unpack", [f(3)], outputs=3, note="numbers", num=3, axis=0)


def slices(case):
    for kind in ALL + ["bool"]:
        case.valued("Slice", [n(3, 4, kind=kind), i32(1, 0), i32(2, 3)], (1, 2))
        case.valued("StridedSlice", [n(3, 4, kind=kind), i32(1, 0), i32(3, 3), i32(1, 1)], (1, 2, 3))
    for begin, size in (([0, 0], [3, 4]), ([1, 2], [-1, -1]), ([0, 1], [2, -1]), ([2, 3], [1, 1]), ([1, 1], [1, 2])):
        for kind in (np.int32, np.int64):
            case.valued("Slice", [f(3, 4), np.array(begin, kind), np.array(size, kind)], (1, 2), note="places")
    case.valued("Slice", [f(2, 5, 6, 3), i32(0, 1, 2, 0), i32(-1, 3, 3, -1)], (1, 2), note="crop")
    spans = [([0], [2], [1]), ([0], [1], [1]), ([-2], [-1], [1]), ([-1], [0], [-1]), ([1, 0], [3, 4], [1, 2]), ([0, 0, 0], [2, 3, 4], [2, 2, 3]), ([2, -1], [0, -4], [-1, -2]), ([0, 1, 2], [1, 2, 3], [1, 1, 1]), ([5], [9], [1]), ([-9], [9], [1])]
    masks = [{}, {"begin_mask": 1}, {"end_mask": 1}, {"begin_mask": 3, "end_mask": 3}, {"shrink_axis_mask": 1}, {"shrink_axis_mask": 2}, {"begin_mask": 1, "end_mask": 1, "shrink_axis_mask": 2}, {"ellipsis_mask": 1}, {"ellipsis_mask": 1, "shrink_axis_mask": 2}, {"new_axis_mask": 1}, {"new_axis_mask": 2}, {"ellipsis_mask": 1, "new_axis_mask": 2}, {"new_axis_mask": 4, "begin_mask": 2, "end_mask": 2}, {"begin_mask": 7, "end_mask": 7}, {"shrink_axis_mask": 3}]
    for (begin, end, step), mask in itertools.product(spans, masks):
        case.valued("StridedSlice", [f(3, 5, 4), i32(*begin), i32(*end), i32(*step)], (1, 2, 3), note="span", **mask)
    case.valued("StridedSlice", [f(3, 5, 4), i64(1), i64(3), i64(1)], (1, 2, 3), note="int64")
    case.valued("StridedSlice", [i32(4, 5, 6), i32(0), i32(1), i32(1)], (1, 2, 3), note="size", shrink_axis_mask=1)
    for kind in ALL + ["bool"]:
        case.valued("ReverseV2", [n(3, 4, kind=kind), i32(1)], (1,))
    for axes in (i32(0), i32(-1), i32(0, 2), i64(1, -1), np.zeros(0, np.int32)):
        case.valued("ReverseV2", [f(2, 3, 4), axes], (1,), note="axes")


def edges(case):
    for kind in ALL + ["bool"]:
        case.valued("Pad", [n(2, 3, kind=kind), np.array([[1, 0], [2, 1]], np.int32)], (1,))
        case.valued("PadV2", [n(2, 3, kind=kind), np.array([[1, 0], [2, 1]], np.int32), n(kind=kind)], (1, 2))
        case.valued("MirrorPad", [n(3, 4, kind=kind), np.array([[1, 0], [2, 1]], np.int32)], (1,), mode="REFLECT")
    for pads in ([[0, 0], [1, 1], [1, 1], [0, 0]], [[0, 0], [0, 1], [0, 1], [0, 0]], [[0, 0], [3, 3], [3, 3], [0, 0]], [[0, 0], [0, 0], [0, 0], [0, 0]], [[0, 0], [0, 0], [0, 0], [1, 2]]):
        for kind in (np.int32, np.int64):
            case.valued("Pad", [f(1, 4, 5, 2), np.array(pads, kind)], (1,), note="image")
            case.valued("PadV2", [f(1, 4, 5, 2), np.array(pads, kind), np.float32(-1)], (1, 2), note="image")
            for mode in ("REFLECT", "SYMMETRIC"):
                case.valued("MirrorPad", [f(1, 4, 5, 4), np.array(pads, kind)], (1,), note="image", mode=mode)
    case.valued("PadV2", [f(2, 3), np.array([[1, 0], [2, 1]], np.int32), np.float32(3)], (1,), note="number-given")


def lookups(case):
    for kind in ALL + ["bool"]:
        case.valued("GatherV2", [n(4, 3, kind=kind), i32(3, 0, 0), np.int32(0)], (2,))
        case("Gather", [n(4, 3, kind=kind), i32(3, 0, 0)])
        case("GatherNd", [n(4, 3, kind=kind), np.array([[3, 0], [1, 2]], np.int32)])
    for axis, indices in itertools.product((0, 1, 2, -1, -2), (i32(1, 0), i64(1, 1, 0), np.int32(1), np.array([[0, 1], [1, 0]], np.int32))):
        for where in ((2,), (1, 2), (0, 2)):
            case("GatherV2", [f(2, 3, 4), indices, np.int32(axis)], stored=where, note=f"axis-{axis}")
    case("GatherV2", [f(2, 3), i32(1, 0), np.int64(1)], stored=(2,), note="axis-int64")
    for batch in (1, -1):
        case("GatherV2", [f(2, 3, 4), np.array([[0, 1], [2, 0]], np.int32), np.int32(1)], stored=(2,), note="batch", batch_dims=batch)
    case("Gather", [f(4, 3), np.array([[1, 2]], np.int64)])
    for indices in (np.array([[1], [0]], np.int32), np.array([[[0, 1]], [[1, 2]]], np.int64), np.array([1, 2], np.int32)):
        case("GatherNd", [f(2, 3, 4), indices])


def reductions(case):
    for op in ("Max", "Mean", "Min", "Prod", "Sum"):
        for kind in ALL:
            case.valued(op, [n(2, 3, kind=kind), i32(1)], (1,), keep_dims=False)
        for axes in ([0], [1], [-1], [-2], [0, 2], [2, 0], [1, 2], [0, 1, 2, 3], [-1, 1], [], 0, 1, -1):
            for kind, keep in itertools.product((np.int32, np.int64), (False, True)):
                case.valued(op, [f(2, 3, 4, 2), np.array(axes, kind)], (1,), note="axes", keep_dims=keep)
        case.valued(op, [f(1, 7, 7, 4), i32(1, 2)], (1,), note="pooled", keep_dims=False)
        case.valued(op, [f(5), i32(0)], (1,), note="all", keep_dims=False)
        case.valued(op, [f(2, 50, kind="float16"), i32(1)], (1,), note="long", keep_dims=False)
    for op in ("All", "Any"):
        for axes, keep in itertools.product(([0], [-1], [0, 1]), (False, True)):
            case.valued(op, [n(2, 3, kind="bool"), i32(*axes)], (1,), keep_dims=keep)
    for op in ("ArgMax", "ArgMin"):
        for kind in ALL:
            case.valued(op, [n(2, 5, kind=kind), np.int32(1)], (1,))
        for axis, kind, out in itertools.product((0, 1, 2, -1), (np.int32, np.int64), ("int64", "int32")):
            case.valued(op, [np.round(f(2, 3, 4)), kind(axis)], (1,), note=f"axis-{axis}", output_type=out)


SIDES = [((1, 5, 5, 2), (3, 3)), ((2, 6, 7, 3), (3, 3)), ((1, 8, 8, 4), (1, 1)), ((1, 7, 6, 2), (2, 3)), ((1, 5, 9, 1), (5, 5)), ((1, 4, 4, 3), (2, 2))]


def windows(case):
    for (shape, (h, w)), padding, stride, layout in itertools.product(SIDES, ("SAME", "VALID"), (1, 2, 3, (1, 2), (2, 1)), ("NHWC", "NCHW")):
        down, right = stride if isinstance(stride, tuple) else (stride, stride)
        turn = (lambda s: [s[0], s[3], s[1], s[2]]) if layout == "NCHW" else list
        x = f(*turn(shape))
        ways = {"strides": turn([1, down, right, 1]), "padding": padding, "data_format": layout}
        filters = f(h, w, shape[3], 5)
        case("Conv2D", [x, filters], stored=(1,), note=layout, **ways)
        case("DepthwiseConv2dNative", [x, f(h, w, shape[3], 2)], stored=(1,), note=layout, **ways)
        case("DepthwiseConv2dNative", [x, f(h, w, shape[3], 1)], stored=(1,), note=layout, **ways)
        case("MaxPool", [x], stored=(), note=layout, ksize=turn([1, h, w, 1]), **ways)
        case("AvgPool", [x], stored=(), note=layout, ksize=turn([1, h, w, 1]), **ways)
    for layout, dilation, padding in itertools.product(("NHWC", "NCHW"), ((2, 2), (3, 1), (1, 2)), ("SAME", "VALID")):
        turn = (lambda s: [s[0], s[3], s[1], s[2]]) if layout == "NCHW" else list
        for op, filters in (("Conv2D", f(3, 3, 2, 4)), ("DepthwiseConv2dNative", f(3, 3, 2, 2))):
            case(op, [f(*turn([1, 9, 10, 2])), filters], stored=(1,), note=f"{layout}-dilated", strides=[1, 1, 1, 1], padding=padding, data_format=layout, dilations=turn([1, *dilation, 1]))
    for layout, edge in itertools.product(("NHWC", "NCHW"), ([1, 1, 1, 1], [0, 1, 2, 0], [2, 2, 0, 0], [0, 0, 0, 0])):
        turn = (lambda s: [s[0], s[3], s[1], s[2]]) if layout == "NCHW" else list
        pads = [0, 0, 0, 0, *edge] if layout == "NCHW" else [0, 0, *edge, 0, 0]
        ways = {"strides": turn([1, 2, 2, 1]), "padding": "EXPLICIT", "explicit_paddings": pads, "data_format": layout}
        x = f(*turn([1, 6, 7, 2]))
        case("Conv2D", [x, f(3, 3, 2, 3)], stored=(1,), note=f"{layout}-explicit", **ways)
        case("DepthwiseConv2dNative", [x, f(3, 3, 2, 1)], stored=(1,), note=f"{layout}-explicit", **ways)
        case("MaxPool", [x], stored=(), note=f"{layout}-explicit", ksize=turn([1, 3, 3, 1]), **ways)
    for kind in ALL:
        x, filters = n(1, 5, 5, 2, kind=kind), n(3, 3, 2, 4, kind=kind)
        ways = {"strides": [1, 1, 1, 1], "padding": "SAME"}
        case("Conv2D", [x, filters], note=kind, **ways)
        case("DepthwiseConv2dNative", [x, filters], note=kind, **ways)
        case("MaxPool", [x], note=kind, ksize=[1, 2, 2, 1], **ways)
        case("AvgPool", [x], note=kind, ksize=[1, 2, 2, 1], **ways)
    case("Conv2D", [f(1, 6, 6, 4), f(3, 3, 2, 6)], note="groups", strides=[1, 1, 1, 1], padding="SAME")
    case("Conv2D", [f(1, 1, 9, 2), f(1, 3, 2, 4)], note="row", strides=[1, 1, 1, 1], padding="SAME")
    case("MaxPool", [f(1, 2, 2, 4)], note="depth", ksize=[1, 1, 1, 2], strides=[1, 1, 1, 2], padding="VALID")


def channels(case):
    for kind in ALL:
        for shape in ((2, 3), (1, 2, 2, 3), (2, 4, 3)):
            case("BiasAdd", [n(*shape, kind=kind), n(3, kind=kind)], note=kind, data_format="NHWC")
        for shape in ((2, 3), (1, 3, 2, 2), (2, 3, 4)):
            case("BiasAdd", [n(*shape, kind=kind), n(3, kind=kind)], note=f"NCHW-{kind}", data_format="NCHW")
        case("BiasAddV1", [n(2, 3, kind=kind), n(3, kind=kind)], note=kind)
    for op, layout, epsilon, count in itertools.product(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), ("NHWC", "NCHW"), (1e-3, 1e-4, 1e-5, 1.0), (3, 17)):
        x = f(2, 3, 2, count) if layout == "NHWC" else f(2, count, 3, 2)
        parts = [f(count), f(count), f(count), f(count, low=0.1)]
        case(op, [x, *parts], stored=(1, 2, 3, 4), note=layout, data_format=layout, epsilon=epsilon, is_training=False)
        if epsilon == 1e-3:
            case(op, [x, *parts], stored=(), note=f"{layout}-given", data_format=layout, epsilon=epsilon, is_training=False)
            case(op, [x, *parts], stored=(2, 3, 4), note=f"{layout}-scale-given", data_format=layout, epsilon=epsilon, is_training=False)
            half = x.astype(np.float16)
            case(op, [half, *parts], stored=(1, 2, 3, 4), note=f"{layout}-half", data_format=layout, epsilon=epsilon, is_training=False)
    for op in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"):
        empty = np.zeros(0, np.float32)
        case(op, [f(2, 3, 2, 3), f(3), f(3), empty, empty], stored=(1, 2, 3, 4), note="training", epsilon=1e-3, is_training=True)
    for op, kind in itertools.product(("Softmax", "LogSoftmax"), FLOATS):
        for shape in ((5,), (2, 5), (2, 3, 5), (1, 2, 3, 5), (2, 1), (1, 1000)):
            case(op, [f(*shape, kind=kind, low=-6, high=6)], note=kind)
        case(op, [f(3, 4, kind=kind, low=-300, high=300)], note=f"wide-{kind}")
    for radius, bias, alpha, beta in ((5, 1.0, 1.0, 0.5), (2, 2.0, 1e-4, 0.75), (1, 1.0, 0.5, 0.6), (7, 1.0, 2e-5, 0.75)):
        for kind in ("float32", "float16"):
            case("LRN", [f(1, 3, 4, 9, kind=kind)], note=kind, depth_radius=radius, bias=bias, alpha=alpha, beta=beta)


def products(case):
    for a, b in itertools.product((False, True), repeat=2):
        for m, k, width in ((2, 3, 4), (1, 5, 1), (4, 1, 3), (1, 64, 10), (17, 33, 9)):
            x, y = f(*((k, m) if a else (m, k))), f(*((width, k) if b else (k, width)))
            case("MatMul", [x, y], transpose_a=a, transpose_b=b)
        for kind in ALL:
            x, y = n(*((3, 2) if a else (2, 3)), kind=kind), n(*((4, 3) if b else (3, 4)), kind=kind)
            case("MatMul", [x, y], transpose_a=a, transpose_b=b)
        for batch, other in (((2,), (2,)), ((2, 3), (2, 3)), ((1,), (4,)), ((2, 1), (3,)), ((), (2,))):
            x, y = f(*batch, *((5, 4) if a else (4, 5))), f(*other, *((6, 5) if b else (5, 6)))
            case("BatchMatMulV2", [x, y], adj_x=a, adj_y=b)
            case("BatchMatMul", [x, y], adj_x=a, adj_y=b)
        for kind in FLOATS + ["int32"]:
            x, y = n(2, *((5, 4) if a else (4, 5)), kind=kind), n(2, *((6, 5) if b else (5, 6)), kind=kind)
            case("BatchMatMulV2", [x, y], note=kind, adj_x=a, adj_y=b)
    for equation, left, right in (("abc,cd->abd", (2, 3, 4), (4, 5)), ("abc,cde->abde", (2, 3, 4), (4, 2, 3)), ("aecd,abcd->acbe", (1, 3, 2, 4), (1, 5, 2, 4)), ("acbe,aecd->abcd", (1, 2, 3, 5), (1, 5, 2, 4)), ("ab,b->a", (2, 3), (3,)), ("ab,ab->", (2, 3), (2, 3)), ("ij,jk->ki", (2, 3), (3, 4)), ("...b,bc->...c", (2, 3, 4), (4, 5)), ("a,b->ab", (2,), (3,)), ("aab,b->ab", (2, 2, 3), (3,))):
        for kind in ("float32", "float16"):
            case("Einsum", [f(*left, kind=kind), f(*right, kind=kind)], note=equation.replace(" ", ""), equation=equation)
    case("Einsum", [f(2, 3)], note="turned", equation="ab->ba")


def blocks(case):
    for kind in ("float32", "float16", "int32", "uint8"):
        case("SpaceToDepth", [n(1, 4, 6, 3, kind=kind)], block_size=2)
        case("DepthToSpace", [n(1, 2, 3, 8, kind=kind)], block_size=2)
    for layout in ("NHWC", "NCHW"):
        case("SpaceToDepth", [f(*((2, 6, 6, 2) if layout == "NHWC" else (2, 2, 6, 6)))], note=layout, block_size=3, data_format=layout)
        case("DepthToSpace", [f(*((2, 2, 3, 18) if layout == "NHWC" else (2, 18, 2, 3)))], note=layout, block_size=3, data_format=layout)
    for kind in ("float32", "float16", "int32", "float64"):
        case.valued("SpaceToBatchND", [n(1, 4, 6, 2, kind=kind), i32(2, 3), np.zeros((2, 2), np.int32)], (1, 2))
        case.valued("BatchToSpaceND", [n(6, 2, 2, 2, kind=kind), i32(2, 3), np.zeros((2, 2), np.int32)], (1, 2))
    for pads in ([[0, 1], [1, 0]], [[2, 1], [0, 2]]):
        for kind in (np.int32, np.int64):
            case.valued("SpaceToBatchND", [f(2, 5, 5 if pads[0][0] == 0 else 4, 2), np.array([2, 2], kind), np.array(pads, kind)], (1, 2), note="padded")
            case.valued("BatchToSpaceND", [f(8, 3, 3, 2), np.array([2, 2], kind), np.array(pads, kind)], (1, 2), note="cropped")
    case.valued("SpaceToBatchND", [f(2, 6, 3), i32(2), np.array([[1, 1]], np.int32)], (1, 2), note="one")
    case.valued("BatchToSpaceND", [f(4, 3, 3), i32(2), np.array([[1, 0]], np.int32)], (1, 2), note="one")


def quantised(case):
    for low, high in ((-1.0, 1.0), (-0.3, 1.7), (0.0, 6.0), (-2.0, 0.0), (0.5, 3.0), (-3.0, -0.5)):
        for bits, narrow in itertools.product((8, 4, 16), (False, True)):
            x = f(40, low=-3, high=7)
            case.valued("FakeQuantWithMinMaxVars", [x, np.float32(low), np.float32(high)], (1, 2), num_bits=bits, narrow_range=narrow)


def recurrent(case):
    for clip, bias, peephole in itertools.product((-1.0, 0.0, 3.0, 0.2), (1.0, 0.0), (False, True)):
        steps, batch, size = 3, 2, 4
        inputs = [np.int64(steps), f(steps, batch, size), f(batch, size), f(batch, size), f(2 * size, 4 * size), f(size), f(size), f(size), f(4 * size)]
        for used in ((6,), (1, 6), (0, 1, 2, 3, 4, 5, 6)) if not peephole and clip <= 0 else ():
            case("BlockLSTM", inputs, stored=(0, 4, 5, 6, 7, 8), outputs=used, note="used", cell_clip=clip, forget_bias=bias)
        case("BlockLSTM", inputs, stored=(0, 4, 5, 6, 7, 8), outputs=7, note="peephole" if peephole else "plain", cell_clip=clip, forget_bias=bias, use_peephole=peephole)
