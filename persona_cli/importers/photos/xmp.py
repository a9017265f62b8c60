"""XMP, in a file beside a picture or inside it: when and where, caption, and the people who were marked in it.

What digiKam, Lightroom, Picasa's heirs and the phone vendors write: regions of the Metadata Working Group, Microsoft's
people tags, PersonInImage of the IPTC. The file is a stranger's: one with a document type, where entities would be
declared, is not parsed, and expat itself bounds what is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from persona_cli.importers.photos.details import DateSource, Details, Taken, one_line, place_of

LARGEST = 4_000_000
"""Bytes; edits with masks take a few hundred thousand."""

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
_REGION = "{http://www.metadataworkinggroup.com/schemas/regions/}"
_PERSON = "{http://ns.microsoft.com/photo/1.2/t/Region#}PersonDisplayName"
_DATES = (
    f"{_EXIF}DateTimeOriginal",
    "{http://ns.adobe.com/photoshop/1.0/}DateCreated",
    "{http://ns.adobe.com/xap/1.0/}CreateDate",
)
_DEGREES = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])")


def parse_xmp(content: bytes, source: DateSource) -> Details:
    """Return what a packet says; nothing where it is none."""
    root = _root(content)
    if root is None:
        return Details()
    taken = next((taken for name in _DATES for text in _values(root, name) if (taken := _taken(text, source))), None)
    captions = (one_line(text) for name in (f"{_DC}description", f"{_DC}title") for text in _values(root, name))
    people = (one_line(name, 100) for name in _people(root))
    return Details(taken, next(filter(None, captions), ""), tuple(dict.fromkeys(filter(None, people))), _place(root))


def _root(content: bytes) -> Element | None:
    if not content.strip(b"\0 \r\n\t") or len(content) > LARGEST:
        return None
    with suppress(UnicodeDecodeError, ElementTree.ParseError, ValueError):
        text = content.decode("utf-8-sig").strip("\0 \r\n\t")
        if "<!DOCTYPE" not in text and "<!ENTITY" not in text:
            return ElementTree.fromstring(text)  # noqa: S314 - without a document type there are no entities
    return None


def _values(root: Element, name: str) -> Iterator[str]:
    """Yield the texts of a property, which may stand as an attribute, as an element or as a list of them."""
    for element in root.iter():
        if name in element.attrib:
            yield element.attrib[name]
        if element.tag == name:
            # property, container, entry: deeper is another property's
            entries = element.findall(f"*/{_RDF}li")
            yield from (entry.text or "" for entry in entries or [element])


def _people(root: Element) -> Iterator[str]:
    yield from _values(root, f"{_IPTC}PersonInImage")
    yield from _values(root, _PERSON)
    for element in root.iter():
        kind = element.get(f"{_REGION}Type") or element.findtext(f"{_REGION}Type") or "Face"
        if kind in ("Face", "Pet"):
            yield element.get(f"{_REGION}Name") or element.findtext(f"{_REGION}Name") or ""


def _taken(text: str, source: DateSource) -> Taken | None:
    # "2024-05-12T18:30:05.25+02:00", also without seconds or zone; a year alone is no date
    with suppress(ValueError):
        at = datetime.fromisoformat(text.strip())
        day_only = "T" not in text
        return Taken(at, source, day_only) if at.year > 1 else None
    return None


def _place(root: Element) -> tuple[float, float] | None:
    found = []
    for name in ("GPSLatitude", "GPSLongitude"):
        match = next(
            (match for text in _values(root, _EXIF + name) if (match := _DEGREES.fullmatch(text.strip()))), None
        )
        if match is None:
            return None
        degrees = int(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
        found.append(-degrees if match[4] in "SW" else degrees)
    return place_of(*found)
