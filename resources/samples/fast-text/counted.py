"""Runs a file of plain functions and counts its work, so that "faster" needs no clock.

Every statement, look-up, comparison, calculation and call is a step. What Python does in
one go (a slice, a search, a sort) is cheaper than a loop, as it is by the clock: an eighth
of a step for each element or character it touches. So the count is the same on every
machine and under every version of Python, and it falls for the reasons a clock would.

The file is read before it is run, and what this module cannot count is refused: imports,
classes, exceptions, attributes that are no methods of the table below, text that is
formatted, sets (their order differs from run to run) and large tables of data. That also
closes the simple ways to work without being counted. What is not closed: this is Python,
and nothing here is a wall against code that was written to break out.
"""

import ast
import operator

STEP = 8                       # the unit of work is an eighth of a step
MAX_STEPS = 5_000_000
MAX_SOURCE_CHARACTERS = 12_000
MAX_CONSTANTS = 400
MAX_CONSTANT_CHARACTERS = 200


class Refused(Exception):
    """The file holds what cannot be counted."""


class TooMuchWork(Exception):
    """The function would take more than MAX_STEPS."""


ALLOWED = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.AugAssign, ast.For,
    ast.While, ast.If, ast.Expr, ast.Pass, ast.Break, ast.Continue, ast.BoolOp, ast.BinOp, ast.UnaryOp,
    ast.Lambda, ast.IfExp, ast.Dict, ast.ListComp, ast.DictComp, ast.GeneratorExp, ast.comprehension,
    ast.Compare, ast.Call, ast.keyword, ast.Constant, ast.Subscript, ast.Slice, ast.Name, ast.List,
    ast.Tuple, ast.expr_context, ast.operator, ast.cmpop, ast.unaryop, ast.boolop,
)

CALCULATIONS = {
    "Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "FloorDiv": operator.floordiv,
    "Div": operator.truediv, "Mod": operator.mod, "LShift": operator.lshift, "RShift": operator.rshift,
    "BitAnd": operator.and_, "BitOr": operator.or_, "BitXor": operator.xor,
}

COMPARISONS = {
    "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt,
    "GtE": operator.ge, "Is": operator.is_, "IsNot": operator.is_not,
    "In": lambda a, b: a in b, "NotIn": lambda a, b: a not in b,
}


def size(value):
    """How many elements or characters are touched when all of a value is."""
    if isinstance(value, int):
        return abs(value).bit_length() // 30
    if isinstance(value, (list, tuple)):
        return len(value) + sum(map(size, value))
    return len(value) if hasattr(value, "__len__") else 0


def sorting(values):
    return size(values) * max(1, len(values).bit_length())


METHODS = {
    # type: {method: what it touches, from the object, its arguments and its result}
    str: {
        "find": lambda text, args, found: _searched(text, args, found) + size(args),
        "count": lambda text, args, _: len(text) + size(args),
        "startswith": lambda text, args, _: size(args),
        "endswith": lambda text, args, _: size(args),
        "split": lambda text, args, _: len(text),
        "join": lambda text, args, _: size(args),
        "lower": lambda text, args, _: len(text),
        "isalpha": lambda text, args, _: len(text),
    },
    list: {
        "append": lambda values, args, _: 0,
        "pop": lambda values, args, _: len(values) if args else 0,
        "extend": lambda values, args, _: size(args),
        "insert": lambda values, args, _: len(values),
        "reverse": lambda values, args, _: len(values),
        "index": lambda values, args, _: size(values),
        "copy": lambda values, args, _: len(values),
        "sort": lambda values, args, _: sorting(values),
    },
    dict: {
        "get": lambda table, args, _: size(args[0]),
        "setdefault": lambda table, args, _: size(args[0]),
        "pop": lambda table, args, _: size(args[0]),
        "keys": lambda table, args, _: 0,
        "values": lambda table, args, _: 0,
        "items": lambda table, args, _: 0,
        "copy": lambda table, args, _: len(table),
    },
}


def _searched(text, args, found):
    start = args[1] if len(args) > 1 else 0
    return (len(text) if found < 0 else found) - min(start, len(text))


class _Meter:
    """Counts, and does what the rewritten file asks for."""

    def __init__(self):
        self.work = 0

    def charge(self, work):
        self.work += work
        if self.work > MAX_STEPS * STEP:
            raise TooMuchWork(f"it takes more than {MAX_STEPS:,} steps")

    def step(self, value=None):
        self.charge(STEP)
        return value

    def calculate(self, name, a, b, functions=CALCULATIONS):
        if isinstance(a, str) and name == "Mod":
            raise Refused("text is formatted with %, which cannot be counted")
        touched = size(a) + size(b)
        if name == "Mult":
            # Paid before it is done: a text times a billion is never made.
            touched += size(a) * max(1, b if isinstance(b, int) else 1) + size(b) * max(
                1, a if isinstance(a, int) else 1
            )
        if name == "LShift":
            touched += b // 30
        self.charge(STEP + touched)
        return functions[name](a, b)

    def extend(self, name, a, b):
        """`a += b` and its like: a list stays the same list."""
        if name == "Add" and isinstance(a, list):
            self.charge(STEP + size(b))
            a += b
            return a
        return self.calculate(name, a, b)

    def compare(self, name, a, b):
        touched = 0
        if name in ("In", "NotIn"):
            b = self.drawn(b)
            touched = size(a) + (0 if isinstance(b, (dict, range)) else size(b))
        elif name not in ("Is", "IsNot"):
            touched = min(size(a), size(b))
        self.charge(STEP + touched)
        return COMPARISONS[name](a, b)

    def look_up(self, value, key):
        found = value[key]
        self.charge(STEP + (len(found) if isinstance(key, slice) else size(key)))
        return found

    def call_method(self, value, name, *args, **named):
        cost = METHODS.get(type(value), {}).get(name)
        if cost is None:
            raise Refused(f"{type(value).__name__}.{name} is not among the methods that are counted")
        args = tuple(map(self.drawn, args))
        # What a change will touch is known before it, and what a search has touched after it.
        self.charge(STEP + (0 if name == "find" else cost(value, args, None)))
        result = getattr(value, name)(*args, **named)
        if name == "find":
            self.charge(cost(value, args, result))
        return result

    def drawn(self, value):
        """An iterator as a list, paid by the element: nobody knows its size before."""
        if not hasattr(value, "__next__"):
            return value
        drawn = []
        for element in value:
            self.charge(1)
            drawn.append(element)
        return drawn

    def builtins(self):
        """What the file finds under the names of Python's own functions."""

        def touching_all(function, cost=size):
            def counted(*args, **named):
                args = tuple(map(self.drawn, args))
                self.charge(STEP + sum(map(cost, args)))
                return function(*args, **named)
            return counted

        def at_once(function):
            def counted(*args):
                self.charge(STEP)
                return function(*args)
            return counted

        def total(values, start=0):
            values = self.drawn(values)
            if not all(isinstance(value, (int, float)) for value in values):
                raise Refused("sum is for numbers")
            self.charge(STEP + size(values))
            return sum(values, start)

        return {
            **{f.__name__: touching_all(f) for f in (all, any, dict, list, max, min, str, tuple)},
            **{f.__name__: at_once(f) for f in (abs, bool, chr, enumerate, len, ord, range, reversed, zip)},
            "sorted": touching_all(sorted, lambda value: sorting(value) if hasattr(value, "__len__") else 0),
            "sum": total,
        }


class _Rewriter(ast.NodeTransformer):
    """Puts a call of the meter in the place of everything that is work."""

    def __init__(self):
        self.constants = 0

    def refuse(self, node, why):
        raise Refused(f"line {getattr(node, 'lineno', '?')}: {why}")

    def visit(self, node):
        if not isinstance(node, ALLOWED):
            self.refuse(node, f"{type(node).__name__} cannot be counted")
        return super().visit(node)

    def ask(self, node, name, *args, keywords=()):
        called = ast.Attribute(ast.Name("__meter__", ast.Load()), name, ast.Load())
        return ast.copy_location(ast.Call(called, list(args), list(keywords)), node)

    def generic_visit(self, node):
        node = super().generic_visit(node)
        for field in ("body", "orelse"):
            statements = getattr(node, field, None)
            if isinstance(statements, list) and not isinstance(node, ast.Module):
                setattr(node, field, [
                    each for statement in statements
                    for each in (ast.copy_location(ast.Expr(self.ask(statement, "step")), statement), statement)
                ])
        return node

    def visit_Module(self, node):
        for place, statement in enumerate(node.body):
            is_docstring = place == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if is_docstring or isinstance(statement, ast.FunctionDef):
                continue
            if not isinstance(statement, ast.Assign):
                self.refuse(statement, "beside functions there may only be constants")
            for part in ast.walk(statement.value):
                if not isinstance(part, (ast.Constant, ast.Tuple, ast.List, ast.UnaryOp, ast.USub, ast.Load)):
                    self.refuse(statement, "a constant is a literal")
        return self.generic_visit(node)

    def visit_FunctionDef(self, node):
        self.name(node, node.name)
        if node.decorator_list or node.args.vararg or node.args.kwarg:
            self.refuse(node, "a function has plain arguments and no decorator")
        if not all(isinstance(each, ast.Constant) for each in [*node.args.defaults, *filter(None, node.args.kw_defaults)]):
            self.refuse(node, "a default is a constant")
        node.returns = None
        if len(node.body) > 1 and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        return self.generic_visit(node)

    def visit_arg(self, node):
        self.name(node, node.arg)
        node.annotation = None
        return node

    def visit_Name(self, node):
        self.name(node, node.id)
        return node

    def name(self, node, name):
        if name.startswith("_") and name != "_":
            self.refuse(node, "a name may not begin with _")

    def visit_Constant(self, node):
        self.constants += 1
        length = len(node.value) if isinstance(node.value, (str, bytes)) else size(node.value)
        if length > MAX_CONSTANT_CHARACTERS or self.constants > MAX_CONSTANTS:
            self.refuse(node, "that is a table of data, not a function")
        return node

    def visit_BinOp(self, node):
        name = type(node.op).__name__
        if name not in CALCULATIONS:
            self.refuse(node, f"{name} cannot be counted")
        node = self.generic_visit(node)
        return self.ask(node, "calculate", ast.Constant(name), node.left, node.right)

    def visit_AugAssign(self, node):
        target, name = node.target, type(node.op).__name__
        is_plain = isinstance(target, ast.Name) or (
            isinstance(target, ast.Subscript)
            and isinstance(target.value, ast.Name)
            and isinstance(target.slice, (ast.Name, ast.Constant))
        )
        if not is_plain or name not in CALCULATIONS:
            self.refuse(node, "write it as an assignment")
        text = ast.unparse(target)
        read = self.visit(ast.copy_location(ast.parse(text, mode="eval").body, node))
        changed = self.ask(node, "extend", ast.Constant(name), read, self.visit(node.value))
        return ast.copy_location(ast.Assign([self.visit(target)], changed), node)

    def visit_Compare(self, node):
        if len(node.ops) > 1:
            self.refuse(node, "write a chain of comparisons with and")
        node = self.generic_visit(node)
        return self.ask(node, "compare", ast.Constant(type(node.ops[0]).__name__), node.left, node.comparators[0])

    def visit_Subscript(self, node):
        is_slice = isinstance(node.slice, ast.Slice)
        if not isinstance(node.ctx, ast.Load):
            return self.refuse(node, "a slice is read, not written") if is_slice else self.generic_visit(node)
        node = self.generic_visit(node)
        key = node.slice
        if is_slice:
            ends = [end or ast.Constant(None) for end in (key.lower, key.upper, key.step)]
            key = ast.Call(ast.Name("__slice__", ast.Load()), ends, [])
        return self.ask(node, "look_up", node.value, key)

    def visit_Call(self, node):
        if any(keyword.arg is None for keyword in node.keywords):
            self.refuse(node, "arguments are written out")
        args = [self.visit(each) for each in node.args]
        keywords = [self.visit(each) for each in node.keywords]
        if isinstance(node.func, ast.Attribute):
            value, name = self.visit(node.func.value), ast.Constant(node.func.attr)
            return self.ask(node, "call_method", value, name, *args, keywords=keywords)
        called = self.ask(node, "step", self.visit(node.func))
        return ast.copy_location(ast.Call(called, args, keywords), node)

    def visit_ListComp(self, node):
        node = self.generic_visit(node)
        node.elt = self.ask(node, "step", node.elt)
        return node

    visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node):
        node = self.generic_visit(node)
        node.value = self.ask(node, "step", node.value)
        return node

    def visit_comprehension(self, node):
        node = self.generic_visit(node)
        # What is filtered out was looked at as well.
        node.ifs = [self.ask(each, "step", each) for each in node.ifs]
        return node


def load(path):
    """Return a function `run(name, *args)` that returns (result, steps). Raises Refused.

    Each call begins anew: nothing is remembered from one to the next.
    """
    with open(path, encoding="utf-8") as file:
        source = file.read(MAX_SOURCE_CHARACTERS + 1)
    if len(source) > MAX_SOURCE_CHARACTERS:
        raise Refused(f"it is longer than {MAX_SOURCE_CHARACTERS:,} characters")
    tree = ast.fix_missing_locations(_Rewriter().visit(ast.parse(source, path)))
    code = compile(tree, path, "exec")

    def run(name, *args):
        meter = _Meter()
        scope = {"__builtins__": {}, "__meter__": meter, "__slice__": slice, **meter.builtins()}
        exec(code, scope)
        result = scope[name](*args)
        return result, meter.work / STEP

    return run
