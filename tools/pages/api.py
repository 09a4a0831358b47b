"""The reference: what the package says of its public names, as HTML."""

import html
import importlib
import inspect
import re
from dataclasses import is_dataclass

import click
import jax.typing
import numpy as np
import numpy.typing
from fastcore.docments import docments

from jkonet_star.base.devices import Array
from jkonet_star.base.settings import Settings, bounds, own_fields


def public(module):
    "The public names of a module and their objects."
    m = importlib.import_module(module)
    return {name: getattr(m, name) for name in m.__all__}


def parts(cls):
    "A class, after the private ones of its module that it was put together from."
    own = [b for b in cls.__mro__ if b.__name__.startswith("_") and b.__module__ == cls.__module__]
    return [*reversed(own), cls]


def methods(cls):
    """Public methods and properties that a class adds, by name; what it only overrides counts if it
    says something of its own."""
    found = {}
    for part in parts(cls):
        for name, value in vars(part).items():
            f = (
                value.fget
                if isinstance(value, property)
                else inspect.unwrap(getattr(value, "__func__", value))
            )
            added = (
                inspect.isfunction(f)
                and f.__module__ == cls.__module__
                and not name.startswith("_")
            )
            if added and (f.__doc__ or not any(name in vars(b) for b in part.__mro__[1:])):
                found[name] = value
    return found


def summary(obj):
    """What an object says of itself; for plain data, what it is. Nothing where there is no
    docstring."""
    if isinstance(obj, click.Command):
        return obj.help or ""
    own = inspect.cleandoc(obj.__doc__ or "")  # getdoc would take that of a base
    if inspect.isclass(obj):
        return (
            "" if own.startswith(obj.__name__ + "(") else own
        )  # dataclasses write that themselves
    if callable(obj) or isinstance(obj, (property, classmethod, staticmethod)):
        return own
    keys = f", with keys {', '.join(f'`{k}`' for k in obj)}" if isinstance(obj, dict) else ""
    return f"A `{type(obj).__name__}`{keys}."


def anchors(module, href):
    "The places where the public names of a module are documented."
    for name, obj in public(module).items():
        yield name, f"{href}#{name}"
        for method in methods(obj) if inspect.isclass(obj) else ():
            yield f"{name}.{method}", f"{href}#{name}.{method}"


def signature(name, obj):
    "How it is called, one parameter a line where it is long."
    f = getattr(obj, "__func__", obj)
    if isinstance(obj, click.Command) or (
        inspect.isclass(obj) and getattr(obj.__init__, "__module__", None) != obj.__module__
    ):
        return ""
    try:
        given = inspect.signature(f)
    except (TypeError, ValueError):
        return ""
    first = "cls" if isinstance(obj, classmethod) else "self"
    bare = inspect.Parameter.empty
    parameters = [p for p in given.parameters.values() if p.name != first]
    parameters = [str(p.replace(annotation=bare)) for p in parameters]
    parameters = [
        re.sub(r"<function (\w+)[^>]*>|\b(?:[a-z_]\w*\.)+(?=[A-Za-z_])", r"\1", p)
        for p in parameters
    ]
    line = f"{name}({', '.join(parameters)})"
    return (
        line if len(line) < 84 else f"{name}(\n" + "".join(f"    {p},\n" for p in parameters) + ")"
    )


def _rows(head, rows):
    body = "".join(
        "<tr>" + "".join(f"<td>{re.sub('</?p>', '', cell).strip()}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    heads = "".join(f"<th>{h}</th>" for h in head)
    return (
        '<div class="scroll" tabindex="0"><table class="parameters">'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def settings(obj, markdown):
    """A table of the settings that a class adds, with defaults, bounds and helps; nothing for other
    objects."""
    if not (inspect.isclass(obj) and issubclass(obj, Settings) and is_dataclass(obj)):
        return ""
    code = lambda text: f"<code>{html.escape(str(text))}</code>"
    allowed = lambda f: ", ".join(map(code, f.metadata["one_of"] or ())) or html.escape(bounds(f))
    found = [f for f in own_fields(obj) if "help" in f.metadata]
    return _rows(
        ("name", "default", "allowed", "meaning"),
        [
            (code(f.name), code(repr(f.default)), allowed(f), markdown(f.metadata["help"]))
            for f in found
        ],
    )


def parameters(obj, markdown):
    """A table of the parameters, or fields, that say what they are in a comment beside them;
    nothing where none does."""
    f = getattr(obj, "__func__", obj)
    if not (inspect.isfunction(inspect.unwrap(f)) or is_dataclass(f)) or isinstance(obj, property):
        return ""
    found = {}
    try:
        for part in parts(f) if inspect.isclass(f) else [f]:  # docments reads one class at a time
            for name, said in docments(part, full=True, returns=True).items():
                if said.docment or name not in found:
                    found[name] = said
    except (TypeError, OSError, SyntaxError):
        return ""
    rows = [
        (f"<code>{html.escape(name)}</code>", kind(said.anno), markdown(said.docment))
        for name, said in found.items()
        if said.docment
    ]
    return _rows(("name", "type", "meaning"), rows) if rows else ""


def bare(annotation):
    "A type without the modules that names come from."
    return re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z_])", "", str(annotation))


def kind(annotation):
    "A type as it is written."
    if annotation is inspect.Parameter.empty:
        return ""
    text = annotation.__name__ if isinstance(annotation, type) else bare(annotation)
    aliases = [("ArrayLike", np.typing.ArrayLike), ("ArrayLike", jax.typing.ArrayLike)]
    for name, alias in [*aliases, ("Array", Array)]:
        for written in {bare(alias), bare(alias).removeprefix("Union[").removesuffix("]")}:
            text = text.replace(written, name)
    both = r"Union\[(\w+)\[\w+, ('[^']*')\], \1\[ndarray, \2\]\]"  # arrays of JAX and of numpy
    text = re.sub(r"^Union\[(.*), NoneType\]$", r"\1 | None", text)
    text = re.sub(r"^Union\[(\w+)\]$", r"\1", text)
    text = re.sub(both, r"\1[Array, \2]", text)
    return f"<code>{html.escape(text)}</code>"


def source(obj, repository):
    "A link to the lines that define an object."
    f = obj.fget if isinstance(obj, property) else inspect.unwrap(getattr(obj, "__func__", obj))
    try:
        line, module = inspect.getsourcelines(f)[1], f.__module__
    except (TypeError, OSError, AttributeError):
        return ""
    href = f"{repository}/{module.replace('.', '/')}.py#L{line}"
    return f'<a class="to-source" href="{href}" aria-label="Source of {f.__name__}">source</a>'


def entry(name, ident, obj, level, markdown, colour, repository):
    "One documented name; the section it opens is left open, for methods."
    called = callable(obj) or isinstance(obj, (classmethod, staticmethod))
    line = signature(name, obj) if called else ""
    own = set(re.findall(r"\w+(?=[,:=)]| =)", line))
    head, _, rest = summary(obj).partition("\n\n")
    text = (
        markdown(head, own)
        + (markdown(rest, own) if rest else "")
        + settings(obj, lambda t: markdown(t, own))
        + parameters(obj, lambda t: markdown(t, own))
    )
    title = f"<code>{name.rpartition('.')[2]}</code>{source(obj, repository)}"
    heading = f'<h{level} id="{ident}">{title}</h{level}>'
    return f'<section class="api">{heading}{colour(line, "python") if line else ""}{text}'


def document(module, name, level, markdown, colour, repository):
    "A public name, and its methods if it is a class."
    obj, original = public(module)[name], getattr(public(module)[name], "__name__", name)
    if original != name and original in public(module):
        heading = f'<h{level} id="{name}"><code>{name}</code></h{level}>'
        other = markdown(f"Another name of `{original}`.")
        return f'<section class="api">{heading}{other}</section>'
    parts = [entry(name, name, obj, level, markdown, colour, repository)]
    for method, value in methods(obj).items() if inspect.isclass(obj) else ():
        parts.append(
            entry(
                f"{name}.{method}",
                f"{name}.{method}",
                value,
                level + 1,
                markdown,
                colour,
                repository,
            )
            + "</section>"
        )
    return "".join(parts) + "</section>"
