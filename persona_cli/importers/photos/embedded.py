"""What a picture's own file says: EXIF, IPTC and XMP, as Pillow finds them; nothing is decoded.

Of dates only those of the shot count: ModifyDate is that of an editor. OffsetTimeOriginal goes with DateTimeOriginal
and with nothing else.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from persona_cli.importers.photos.details import DateSource, Details, Taken, merged, one_line, place_of
from persona_cli.importers.photos.xmp import parse_xmp
from persona_cli.memory.media import open_picture

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_DESCRIPTION, _MAKE = 0x010E, 0x010F
_EXIF, _GPS = 0x8769, 0x8825
_DATES = ((0x9003, 0x9011, 0x9291), (0x9004, 0x9012, 0x9292))
"""Original and digitised: date, offset, part of a second."""
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
_MOMENT = "%Y:%m:%d %H:%M:%S"
_IPTC_CAPTION, _IPTC_TITLE = (2, 120), (2, 5)


def read_embedded(name: str, content: bytes) -> Details:
    """Return what a picture's bytes say of it; raises `PictureError` for what is no picture."""
    with open_picture(name, content) as picture, warnings.catch_warnings():
        # broken metadata are no metadata
        warnings.simplefilter("ignore")
        packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
        packet = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
        return merged((parse_xmp(packet, DateSource.CAMERA), _iptc(picture), _exif(picture)))


def _exif(picture: Picture) -> Details:
    try:
        exif = picture.getexif()
        own, gps = exif.get_ifd(_EXIF), exif.get_ifd(_GPS)
    except Exception:  # noqa: BLE001 - Pillow's parser raises what it happens to meet in broken bytes
        return Details()
    said = one_line(_text(exif.get(_DESCRIPTION)))
    make = _text(exif.get(_MAKE)).split(" ")[0].casefold()
    # cameras write their own name where a caption belongs: "OLYMPUS DIGITAL CAMERA"
    by_camera = "digital camera" in said.casefold() or bool(make and make in said.casefold())
    return Details(_date(own), "" if by_camera else said, place=_place(gps))


def _date(exif: Mapping[int, Any]) -> Taken | None:
    for date, offset, part in _DATES:
        try:
            at = datetime.strptime(_text(exif.get(date)).strip(), _MOMENT)
        except ValueError:
            continue
        fraction = _text(exif.get(part)).strip()
        if fraction.isascii() and fraction.isdigit():
            at = at.replace(microsecond=int(fraction[:6].ljust(6, "0")))
        return Taken(at.replace(tzinfo=_zone(_text(exif.get(offset)))), DateSource.CAMERA)
    return None


def _zone(offset: str) -> timezone | None:
    if (match := _OFFSET.fullmatch(offset.strip())) is None or int(match[2]) > 14 or int(match[3]) > 59:
        return None
    span = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-span if match[1] == "-" else span)


def _place(gps: Mapping[int, Any]) -> tuple[float, float] | None:
    try:
        latitude, longitude = _degrees(gps[2], gps[1] == "S"), _degrees(gps[4], gps[3] == "W")
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return place_of(latitude, longitude)


def _degrees(parts: Any, negative: bool) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    found = degrees + minutes / 60 + seconds / 3600
    return -found if negative else found


def _iptc(picture: Picture) -> Details:
    from PIL import IptcImagePlugin

    try:
        fields = IptcImagePlugin.getiptcinfo(picture) or {}  # type: ignore[arg-type] # any image has `info`
    except Exception:  # noqa: BLE001 - as above
        return Details()
    return Details(caption=one_line(_text(fields.get(_IPTC_CAPTION)) or _text(fields.get(_IPTC_TITLE))))


def _text(value: Any) -> str:
    """Return a field as text; a list is that of a field that may be repeated."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")
    return value if isinstance(value, str) else ""
