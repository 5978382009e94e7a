"""YAML as a Kubernetes user expects it: what is read stays JSON, and what is written reads back the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from yaml import SafeDumper as _Dumper
    from yaml import SafeLoader as _Loader
else:
    _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    _Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_TAG = "tag:yaml.org,2002:"
_PLAIN = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*|0[0-7]+|0o[0-7]+|0x[0-9a-fA-F]+)", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
)


TYPED_SCALARS = frozenset(f"{_TAG}{name}" for name in ("bool", "int", "float"))
"""The tags of plain scalars that are neither text nor null."""


class KubernetesLoader(_Loader):
    """Reads plain scalars as YAML 1.2 does, apart from octal numbers, which may start with a bare ``0``.

    So ``1e-3`` is a number, while ``no``, ``12:30:00`` and ``2024-01-01`` are text. Keys are text as written,
    and a key that stands twice in one mapping is an error.
    """

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Construct a mapping, refusing keys that are given twice or are no scalars."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, ScalarNode):
                raise ConstructorError(None, None, "a key must be text", key.start_mark)
            if key.value in seen:
                raise ConstructorError(None, None, f"the key {key.value!r} is given twice", key.start_mark)
            seen.add(key.value)
            if key.tag != f"{_TAG}merge":
                key.tag = f"{_TAG}str"
        return super().construct_mapping(node, deep=deep)


class KubernetesDumper(_Dumper):
    """Writes what every YAML reader takes alike: text that one would read as another type is quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write every value out where it stands: people read the text, and anchors are hard to read."""
        return True

    def represent_text(self, data: str) -> ScalarNode:
        """Write text of several lines, such as a script, line by line."""
        return self.represent_scalar(f"{_TAG}str", data, style="|" if "\n" in data else None)


KubernetesLoader.yaml_implicit_resolvers = {}
KubernetesDumper.add_representer(str, KubernetesDumper.represent_text)
for _name, _pattern, _first in _PLAIN:
    for _class in (KubernetesLoader, KubernetesDumper):
        _class.add_implicit_resolver(f"{_TAG}{_name}", re.compile(f"(?:{_pattern})\\Z"), list(_first))


def load_documents(text: str) -> list[Any]:
    """Return the documents of a YAML text, empty ones left out.

    :raises yaml.YAMLError: if the text is not YAML.
    """
    return [document for document in yaml.load_all(text, KubernetesLoader) if document is not None]


def load_filled(text: str, fill: Callable[[ScalarNode], None]) -> Any:
    """Return the one document of a YAML text, after ``fill`` changed its scalars in place, keys included.

    :raises yaml.YAMLError: if the text is not YAML, or holds several documents.
    """
    loader = KubernetesLoader(text)
    try:
        tree = loader.get_single_node()
        for scalar in {id(node): node for node in _scalars(tree)}.values():
            fill(scalar)
        return None if tree is None else loader.construct_document(tree)
    finally:
        loader.dispose()


def _scalars(node: Node | None) -> Iterator[ScalarNode]:
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _scalars(item)
    elif isinstance(node, MappingNode):
        for key, item in node.value:
            yield from _scalars(key)
            yield from _scalars(item)


def type_of_plain(text: str) -> str:
    """Return the YAML tag that ``text`` has where it stands without quotes."""
    loader = KubernetesLoader("")
    try:
        return str(loader.resolve(ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]
    finally:
        loader.dispose()


def dump_document(document: Mapping[str, Any]) -> str:
    """Return a mapping as YAML, its keys in their order."""
    return yaml.dump(document, Dumper=KubernetesDumper, sort_keys=False, allow_unicode=True, width=110)


def describe_error(error: yaml.YAMLError) -> tuple[str, str]:
    """Return where and what an error is: ``("line 3, column 7", "...")``."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return "the text", str(error)
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the text"
    return place, " ".join(filter(None, (error.problem, error.context)))
