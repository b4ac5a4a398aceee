"""The sandboxed Jinja environment: text with `{{ }}` -> a function of names.

Place in the pipeline: `wire`, `expand` and `desired` compile every string of a spec here, once, and call the result as
often as they need. In: a source, then names. Out: text, or with `native` the value of one whole `{{ }}`. Raises
TemplateFault only, with the place inside the text where it can be told. Never reads a file, the environment, a clock or
randomness, and never renders a result again.

Decisions:
- Comments and line statements are switched off, so that the shell's `${#x}` survives.
- A template is data, not a program: loops, conditions and `set` work; macros, imports and blocks do not. What may be
  called and which filters there are is listed here, everything else is refused. What a rendering makes and
  costs is limited by `guard` and `metering`; the syntax tree is changed before it is compiled so that no loop, `~` or
  `==` goes past them.
- `a.b` means the key b of a mapping first, so that a variable or a column named `items` works.
- Rendering is not re-entrant and belongs to one thread at a time.
"""

import types
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache, update_wrapper
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.environment import Template
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.runtime import Context, LoopContext, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Namespace, missing
from jinja2.visitor import NodeTransformer

from batchspec.errors import BatchspecError
from batchspec.render import guard
from batchspec.render.filters import FILTERS, INFINITE, KEEP_SYMBOLS, fill, finite, text
from batchspec.render.metering import Work
from batchspec.render.symbolic import OPEN, Json, broken_symbol, holds_marker, holds_surrogate
from batchspec.render.template_faults import TemplateFault, plain, running_words, syntax_words, unknown_words
from batchspec.render.template_pieces import Pieces, pieces_of
from batchspec.render.template_places import Culprit, OffsetLexer, narrowed, of_syntax
from batchspec.render.unknown import ANY, Unknown

Names = Mapping[str, object]

GLOBALS: Names = {"range": safe_range, "dict": dict, "namespace": Namespace}

_BORROWED = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int", "items", "last", "length"),
    *("list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "title"),
    *("trim", "truncate", "unique", "upper", "urlencode", "wordcount"),
)
# Filters that take the name of a part of each item, such as 'size' or 'a.b'.
_BY_ATTRIBUTE = frozenset({"map", "max", "min", "rejectattr", "selectattr", "sort", "unique"})
# Filters that do more with each character or item than look at it.
_SLOW = frozenset({"join", "max", "min", "select", "sort", "string", "tojson"})
_FORMATTED = 50  # what it costs to look for attributes in a pattern, which Jinja does in Python
_FILTER_NAMES = _BORROWED + tuple(FILTERS)
_UNSAFE_TEXT_METHODS = {"encode", "expandtabs", "format_map", "isprintable", "isidentifier", "maketrans", "translate"}
_TEXT_METHODS = frozenset(name for name in dir(str) if not name.startswith("_")) - _UNSAFE_TEXT_METHODS
_METHODS: dict[type, frozenset[str]] = {
    str: _TEXT_METHODS,
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
    LoopContext: frozenset({"cycle", "changed"}),
}
_ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.With, nodes.Expr),
    *(nodes.NSRef, nodes.Keyword, nodes.Pair, nodes.Operand),
)
_REFUSED = (nodes.ExtensionAttribute, nodes.EnvironmentAttribute, nodes.ImportedName, nodes.InternalName)
_FAULTS = (
    *(TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError, SyntaxError, RuntimeError),
    NameError,  # of Python, for which a number written as infinity is a name
)


def is_template(source: str) -> bool:
    """Whether Jinja has anything to do in this text."""
    return "{{" in source or "{%" in source


def is_whole(source: str) -> bool:
    """Whether this looks like one whole `{{ }}`, the only template that can stand where no text belongs."""
    stripped = source.strip()
    return stripped.startswith("{{") and stripped.endswith("}}")


def uses(source: str, name: str) -> bool:
    """Whether a template depends on this name; False for one that cannot be read, whose fault is told elsewhere."""
    if name not in source or not is_template(source):
        return False
    from jinja2.meta import find_undeclared_variables

    try:
        return name in find_undeclared_variables(_parsed(source))
    except (TemplateFault, TemplateError):
        return False


@lru_cache(maxsize=10_000)
def text_of(source: str) -> Callable[[Names], str]:
    """The function that renders `source` to text. Raises TemplateFault when it is no template."""
    if not is_template(source):
        return lambda names: source
    pieces = pieces_of(source)
    try:
        template = _template(pieces.template)
    except TemplateFault:  # told of the text as it stands
        pieces = Pieces((source,))
        template = _template(source)

    def render(names: Names) -> str:
        try:
            return _rendered(template, names, pieces)
        except TemplateFault as fault:
            fault.others = _later(pieces, fault, names)
            raise

    return render


def _later(pieces: Pieces, first: TemplateFault, names: Names) -> tuple[TemplateFault, ...]:
    """What is wrong with each `{{ }}` behind the one with the first fault; each message once."""
    found = {first.message: first}
    for print_, start in zip(pieces.prints, pieces.starts, strict=True):
        if first.offset is None or start <= first.offset:
            continue
        try:
            text_of(print_)(names)
        except TemplateFault as fault:
            fault.offset = None if fault.offset is None else start + fault.offset
            found.setdefault(fault.message, fault)
    return tuple(found.values())[1:]


@lru_cache(maxsize=10_000)
def _template(source: str) -> Template:
    """A template that gives a piece of text for each `{{ }}` that is not inside of something else."""
    tree = _parsed(source)
    tree.body = [one for node in tree.body for one in (_apart(node) if isinstance(node, nodes.Output) else [node])]
    return _compiled(source, tree)


def _apart(output: nodes.Output) -> list[nodes.Node]:
    return [nodes.Output([one], lineno=one.lineno) for one in output.nodes]


@lru_cache(maxsize=10_000)
def native(source: str) -> Callable[[Names], Json]:
    """The function that gives the value of the one `{{ }}` that `source` is; TemplateFault when it is not one."""
    tree = _parsed(source)
    output = tree.body[0] if len(tree.body) == 1 else None
    inner = [one for one in output.nodes if not _is_space(one)] if isinstance(output, nodes.Output) else []
    if len(inner) != 1 or isinstance(inner[0], nodes.TemplateData):
        raise TemplateFault("one whole {{ }} was expected here, with nothing around it")
    place = inner[0].lineno
    tree.body = [nodes.Assign(nodes.Name("result", "store", lineno=place), inner[0], lineno=place)]
    template = _compiled(source, tree)

    def evaluate(names: Names) -> Json:
        return _evaluated(template, names, source)

    return evaluate


def _is_space(node: nodes.Node) -> bool:
    return isinstance(node, nodes.TemplateData) and not node.data.strip()


def _parsed(source: str) -> nodes.Template:
    try:
        _SANDBOX.work.compile(source)
        return _SANDBOX.parse(source)
    except TemplateSyntaxError as error:
        raise _syntax_fault(error, source) from error
    except (RecursionError, MemoryError) as error:
        raise TemplateFault("is nested too deeply") from error
    except ValueError as error:  # TooMuch, or Python's limit of digits
        raise TemplateFault(plain(str(error))) from error


def _compiled(source: str, tree: nodes.Template) -> Template:
    try:
        _refuse_programs(tree)
        return _SANDBOX.from_string(_Metered().visit(tree))
    except TemplateSyntaxError as error:
        raise _syntax_fault(error, source) from error
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise TemplateFault("is nested too deeply") from error
    except _FAULTS as error:
        raise TemplateFault(plain(str(error))) from error


def _syntax_fault(error: TemplateSyntaxError, source: str) -> TemplateFault:
    return TemplateFault(syntax_words(error, _FILTER_NAMES), of_syntax(source, error.lineno - 1, error.message))


def _refuse_programs(tree: nodes.Template) -> None:
    for node in tree.find_all(nodes.Node):
        allowed = isinstance(node, (*_ALLOWED_NODES, nodes.Expr)) and not isinstance(node, _REFUSED)
        if not allowed or (isinstance(node, nodes.For) and node.recursive):
            kind = type(node).__name__.lower()
            raise TemplateFault(f"a template here can use if, for, set and with, not {kind}", node.lineno - 1)


class _Metered(NodeTransformer):
    """Puts a filter that pays around everything that could cost much without being seen by the sandbox."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        body = sum(1 for _ in node.find_all(nodes.Node))
        self.generic_visit(node)
        node.iter = _filtered(node.iter, " each", nodes.Const(body, lineno=node.lineno))
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        node.expr = _filtered(node.expr, " read")
        for operand in node.ops:
            operand.expr = _filtered(operand.expr, " read")
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        return _filtered(node, " made") if isinstance(node.arg, nodes.Slice) else node

    def visit_Assign(self, node: nodes.Assign) -> nodes.Node:
        self.generic_visit(node)
        node.node = _filtered(node.node, " made")
        return node

    def visit_With(self, node: nodes.With) -> nodes.Node:
        self.generic_visit(node)
        node.values = [_filtered(value, " made") for value in node.values]
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        node.nodes = [_filtered(one, "string") for one in node.nodes]
        return _filtered(node, " made")


def _filtered(node: nodes.Node, name: str, *arguments: nodes.Expr) -> nodes.Expr:
    assert isinstance(node, nodes.Expr)
    return nodes.Filter(node, name, [*arguments], [], None, None, lineno=node.lineno)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with everything left out that a spec must not do; `names` are those of the rendering at work."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            comment_start_string=f"{OPEN}#",
            comment_end_string=f"#{OPEN}",
            keep_trailing_newline=True,
            autoescape=False,
            finalize=self._final,
            cache_size=0,
            optimized=False,
        )
        self.work = Work()
        self.names: Names = {}
        self.culprit: Culprit | None = None
        self.undefined = _missing_in(self)
        self.globals.clear()
        filters = {name: JINJA_FILTERS[name] for name in _BORROWED} | FILTERS
        self.filters = {name: self._metered(name, function) for name, function in filters.items()}
        self.filters |= {" each": self.work.each, " made": self._made}
        self.filters[" read"] = self._read
        self.tests = {name: self._paid(test) for name, test in self.tests.items()}

    lexer = cached_property(OffsetLexer)

    def begin(self, names: Names) -> None:
        """Start a rendering with these names."""
        self.names, self.culprit = names, None
        self.work.start()

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`: a mapping's key first, then what is safe."""
        if isinstance(obj, Unknown):
            return ANY if obj.has(attribute) else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        if type(obj) in _METHODS and attribute not in _METHODS[type(obj)] and type(obj) is not LoopContext:
            return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`, without the detour to attributes for texts and numbers."""
        if isinstance(obj, Unknown) or isinstance(argument, Unknown):
            return ANY
        if isinstance(obj, dict) and argument in obj:
            return obj[argument]
        if isinstance(argument, str) and type(obj) in _METHODS:
            return self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator whose result could be large."""
        if operator == "+":
            guard.check_sum(left, right)
        elif operator == "*":
            guard.check_product(left, right)
        elif operator == "**":
            guard.check_power(left, right)
        elif isinstance(left, str):
            return self.work.made(fill(left, right))
        return self.work.made(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """A call from a template: a listed method of plain data, or a function that a spec's names offer."""
        if __obj in GLOBALS.values() or getattr(__obj, "for_templates", False) is True:
            return __self._made(__context.call(__obj, *args, **kwargs))
        owner = getattr(getattr(__obj, "__wrapped__", __obj), "__self__", None)
        name = getattr(__obj, "__name__", "")
        if isinstance(__obj, Undefined):
            return str(__obj)
        if isinstance(__obj, Unknown):
            return __obj
        if name not in _METHODS.get(type(owner), ()):
            raise SecurityError(f"{name or 'this'} cannot be called here")
        __self.work.read(owner, *args, *kwargs.values())
        if isinstance(owner, str):
            return __self._made(_text_method(owner, name, args, kwargs, __obj))
        return __self._made(__obj(*args, **kwargs))

    def _metered(self, name: str, function: Callable[..., object]) -> Callable[..., object]:
        keeps_symbols = name in KEEP_SYMBOLS

        def filter_(*args: object, **kwargs: object) -> object:
            if not keeps_symbols:
                _refuse_symbols(args)
            if name in _BY_ATTRIBUTE:
                guard.check_attributes([*args, *kwargs.values()])
            try:
                for _ in range(1 + (name in _SLOW)):
                    self.work.read(*args, *kwargs.values())
                return self._made(function(*args, **kwargs))
            except BaseException:
                self.culprit = self.culprit or Culprit(name, "|")
                raise

        return update_wrapper(filter_, function)

    def _paid(self, test: Any) -> Callable[..., object]:
        def test_(*args: object, **kwargs: object) -> object:
            self.work.read(*args, *kwargs.values())
            return test(*args, **kwargs)

        return update_wrapper(test_, test)

    def _read(self, value: object) -> object:
        self.work.read(value)
        return value if isinstance(value, range) else self._made(value)

    def _made(self, value: object) -> object:
        if isinstance(value, Undefined):
            str(value)  # raises, but for an `if` without `else`
            return None
        if isinstance(value, Unknown):
            return value
        if isinstance(value, Iterable) and not isinstance(value, (str, list, tuple, dict, range)):
            return value if isinstance(value, Mapping) else self.work.each(value)
        return self.work.made(value)

    def _final(self, value: object) -> str:
        return text(value if not isinstance(value, Undefined) else str(value))


def _missing_in(sandbox: _Sandbox) -> type[StrictUndefined]:
    class Missing(StrictUndefined):
        """Says which name was meant."""

        __slots__ = ()

        @property
        def _undefined_message(self) -> str:
            if self._undefined_hint:
                return self._undefined_hint
            name, owner = str(self._undefined_name), self._undefined_obj
            within = next((one for one, value in sandbox.names.items() if value is owner), "")
            sandbox.culprit = Culprit(name, "" if owner is missing else ".", within)
            return unknown_words(name, owner, sandbox.names, GLOBALS)

    return Missing


def _text_method(owner: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], method: Any) -> object:
    _refuse_symbols((owner,) if name != "join" else ())
    if name in ("center", "ljust", "rjust", "zfill") and args:
        guard.check_padding(args[0])
    if name in ("replace", "join"):
        return FILTERS[name](*((owner, *args) if name == "replace" else (*args, owner)))
    if name == "format":
        guard.check_format(owner, [*args, *kwargs.values()])
        _SANDBOX.work.spend(_FORMATTED)
    return method(*args, **kwargs)


def _refuse_symbols(values: Iterable[object]) -> None:
    if any(isinstance(value, str) and OPEN in value for value in values):
        raise SecurityError("an address or a secret can only be used as it is or with the filter sh")


def _rendered(template: Template, names: Names, pieces: Pieces) -> str:
    made: list[str] = []
    literals = iter(pieces.literals)
    size = sum(map(len, pieces.literals))
    context = _context(template, names)
    try:
        _SANDBOX.begin(names)
        for piece in template.root_render_func(context):
            size += len(piece)
            guard.check_length(size)
            made += (next(literals, ""), piece)
    except (*_FAULTS, MemoryError, BatchspecError) as error:
        fault = _fault(error, template, pieces.template)
        if fault.offset is not None:
            fault.offset = pieces.place(fault.offset)
        raise fault from error
    return _checked("".join((*made, *literals)))


def _evaluated(template: Template, names: Names, source: str) -> Json:
    context = _context(template, names)
    try:
        _SANDBOX.begin(names)
        for _ in template.root_render_func(context):
            pass
        return _plain_value(context.vars["result"])
    except (*_FAULTS, MemoryError, BatchspecError) as error:
        raise _fault(error, template, source) from error


def _context(template: Template, names: Names) -> Context:
    """What `template.new_context` makes, without the set of its globals, which costs as much as all the rest."""
    return _SANDBOX.context_class(_SANDBOX, dict(names), template.name, template.blocks)


def _plain_value(value: object) -> Json:
    """The value as JSON data; raises for what is none."""
    if isinstance(value, str):
        return _checked(value)
    if isinstance(value, float):
        return finite(value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, Mapping):
        return {_checked(text(key)): _plain_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, range, types.GeneratorType)):
        return [_plain_value(item) for item in value]
    return text(value)


def _checked(result: str) -> str:
    if holds_marker(result) and broken_symbol(result):
        raise TemplateFault("an address or a secret was cut or changed; use it whole")
    if holds_surrogate(result):
        raise TemplateFault("makes half of a character (a lone surrogate), which UTF-8 cannot carry")
    return result


def _fault(error: BaseException, template: Template, source: str) -> TemplateFault:
    place = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__jinja_template__") is template:
            told = template.get_corresponding_lineno(trace.tb_lineno) - 1
            place = narrowed(source, told, _SANDBOX.culprit)
        trace = trace.tb_next
    if isinstance(error, (RecursionError, MemoryError)):
        return TemplateFault("takes too much memory, or is nested too deeply", place)
    if isinstance(error, NameError):
        return TemplateFault(f"cannot be rendered: {INFINITE}", place)
    if isinstance(error, KeyError):
        return TemplateFault(f"there is no {error}", place)
    culprit = _SANDBOX.culprit
    filter_name = culprit.word if culprit is not None and culprit.sign == "|" else ""
    message = running_words(plain(str(error)), filter_name) or type(error).__name__
    if isinstance(error, UndefinedError):
        return TemplateFault(message, place, names_nothing=True)
    return TemplateFault(f"cannot be rendered: {message}", place)


_SANDBOX = _Sandbox()
