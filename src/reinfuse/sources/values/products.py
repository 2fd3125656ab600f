"""CAR-T products by the names under which centres write them."""

from __future__ import annotations

import re

from reinfuse.sources.values.understood import plain, unaccented

_NAMES = (
    r"kymriah|tisa[ -]?cel|tisagenlecleucel|ctl[ -]?0?19|yescarta|axi[ -]?cel|axicabtagene|kte[ -]?c19|tecartus|"
    r"brexu[ -]?cel|brexucabtagene|kte[ -]?x19|breyanzi|liso[ -]?cel|lisocabtagene|jcar[ -]?0?1[4-7]|aucatzyl|"
    r"obe[ -]?cel|"
    r"obecabtagene|auto1|relma[ -]?cel|relmacabtagene|carteyva|inaticabtagene|cnct19|ari[ -]?0001|varni[ -]?cel|"
    r"mb[ -]?cart(?:19|2019)|hucart[ -]?19|talicabtagene|tali[ -]?cel|nexcar19|actalycabtagene|ucart19|ide[ -]?cel|"
    r"cilta[ -]?cel|"
    r"cd[ -]?19[ -/]*(?:cd)?(?:20|22)?[ -]*car"
)
_NAMED = re.compile(rf"\b(?:{_NAMES})")


def names_product(text: str) -> bool:
    """Tell whether a text names a CAR-T product.

    Examples
    --------
    >>> names_product("Kymriah (OOS)"), names_product("Flu/Cy")
    (True, False)
    """
    return bool(_NAMED.search(unaccented(plain(text))))
