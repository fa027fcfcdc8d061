"""Where people of the opened places live, by weight of population in thousands, and places that the shipped policy keeps closed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Town:
    """A point inside the town. `weight` is roughly the thousands of people who live there and nearby."""

    name: str
    place: str
    latitude: float
    longitude: float
    weight: int

    @property
    def slug(self) -> str:
        """As a folder or host would write it."""
        return self.name.lower().replace(" ", "-").replace(".", "").replace("'", "")


def _towns(place: str, table: str) -> tuple[Town, ...]:
    found = []
    for line in table.strip().splitlines():
        name, latitude, longitude, weight = (part.strip() for part in line.split(","))
        found.append(Town(name, place, float(latitude), float(longitude), int(weight)))
    return tuple(found)


BRITISH_COLUMBIA = _towns(
    "CA-BC",
    """
    Vancouver, 49.2606, -123.1140, 662
    Surrey, 49.1868, -122.8480, 568
    Burnaby, 49.2488, -122.9805, 249
    Richmond, 49.1666, -123.1336, 210
    Abbotsford, 49.0580, -122.3100, 153
    Coquitlam, 49.2838, -122.7932, 149
    Kelowna, 49.8880, -119.4960, 145
    Langley, 49.1042, -122.6604, 133
    Saanich, 48.5500, -123.3700, 118
    Nanaimo, 49.1659, -123.9401, 100
    Kamloops, 50.6745, -120.3273, 98
    Chilliwack, 49.1579, -121.9515, 93
    Victoria, 48.4284, -123.3656, 92
    North Vancouver, 49.3200, -123.0724, 88
    Prince George, 53.9171, -122.7497, 77
    Vernon, 50.2670, -119.2720, 45
    Penticton, 49.4991, -119.5937, 37
    Courtenay, 49.6877, -124.9936, 28
    White Rock, 49.0253, -122.8026, 22
    Tsawwassen, 49.0140, -123.0890, 22
    Cranbrook, 49.5130, -115.7694, 20
    Nelson, 49.4928, -117.2948, 11
    Whistler, 50.1163, -122.9574, 14
    Prince Rupert, 54.3150, -130.3208, 12
    Fort St. John, 56.2465, -120.8476, 22
    Osoyoos, 49.0325, -119.4682, 6
    Grand Forks, 49.0310, -118.4430, 4
    Tofino, 49.1530, -125.9066, 3
    on the ferry in the Strait of Georgia, 49.1800, -123.5800, 6
    """,
)
ALBERTA = _towns(
    "CA-AB",
    """
    Calgary, 51.0447, -114.0719, 1307
    Edmonton, 53.5461, -113.4938, 1011
    Red Deer, 52.2681, -113.8112, 101
    Lethbridge, 49.6956, -112.8451, 98
    St. Albert, 53.6305, -113.6256, 68
    Medicine Hat, 50.0405, -110.6765, 63
    Grande Prairie, 55.1707, -118.7947, 64
    Airdrie, 51.2917, -114.0144, 74
    Fort McMurray, 56.7267, -111.3790, 68
    Canmore, 51.0890, -115.3590, 16
    Cochrane, 51.1890, -114.4670, 32
    Lloydminster, 53.2783, -110.0200, 20
    Banff, 51.1784, -115.5708, 8
    Lake Louise, 51.4254, -116.1773, 2
    Camrose, 53.0218, -112.8284, 19
    Brooks, 50.5642, -111.8989, 15
    High River, 50.5800, -113.8700, 14
    Jasper, 52.8737, -118.0814, 5
    Coutts, 49.0020, -111.9600, 1
    Cold Lake, 54.4642, -110.1825, 16
    """,
)
ILLINOIS = _towns(
    "US-IL",
    """
    Chicago, 41.8850, -87.6500, 2700
    Aurora, 41.7606, -88.3201, 180
    Naperville, 41.7508, -88.1535, 150
    Joliet, 41.5250, -88.0817, 150
    Rockford, 42.2711, -89.0940, 147
    Elgin, 42.0354, -88.2826, 114
    Springfield, 39.7817, -89.6501, 113
    Peoria, 40.6936, -89.5890, 111
    Waukegan, 42.3636, -87.8448, 89
    Champaign, 40.1164, -88.2434, 88
    Cicero, 41.8456, -87.7539, 84
    Evanston, 42.0451, -87.6877, 77
    Schaumburg, 42.0334, -88.0834, 77
    Bloomington, 40.4842, -88.9937, 78
    Decatur, 39.8403, -88.9548, 70
    Orland Park, 41.6303, -87.8539, 58
    Carbondale, 37.7273, -89.2168, 25
    DeKalb, 41.9295, -88.7504, 40
    Belleville, 38.5201, -89.9840, 42
    Moline, 41.5067, -90.5151, 42
    Calumet City, 41.6156, -87.5295, 35
    Rock Island, 41.5095, -90.5787, 36
    Quincy, 39.9356, -91.4099, 39
    East St. Louis, 38.6245, -90.1510, 18
    Kankakee, 41.1200, -87.8612, 24
    Galena, 42.4167, -90.4290, 3
    Cairo, 37.0053, -89.1765, 2
    """,
)
HOMES = {"CA-BC": BRITISH_COLUMBIA, "CA-AB": ALBERTA, "US-IL": ILLINOIS}
BORDER = frozenset(
    {
        "White Rock",
        "Tsawwassen",
        "Abbotsford",
        "Osoyoos",
        "Grand Forks",
        "on the ferry in the Strait of Georgia",
        "Lloydminster",
        "Lake Louise",
        "Coutts",
        "Calumet City",
        "Moline",
        "Rock Island",
        "Quincy",
        "East St. Louis",
        "Galena",
        "Cairo",
    }
)
"""Towns so near a border, or so far out at sea, that a position there is not told to one side; never used where a fault is tried."""

CLOSED = (
    *_towns("CA-ON", "Toronto, 43.6532, -79.3832, 1\nThunder Bay, 48.3809, -89.2477, 1"),
    *_towns("CA-SK", "Saskatoon, 52.1332, -106.6700, 1"),
    *_towns("CA-QC", "Saguenay, 48.4281, -71.0685, 1\nQuebec, 46.8139, -71.2080, 1"),
    *_towns("US-WA", "Seattle, 47.6062, -122.3321, 1"),
    *_towns("US-TX", "Austin, 30.2672, -97.7431, 1"),
    *_towns("US-NY", "Albany, 42.6526, -73.7562, 1"),
    *_towns("FR", "Lyon, 45.7640, 4.8357, 1"),
    *_towns("DE", "Kassel, 51.3127, 9.4797, 1"),
    *_towns("GB", "Leeds, 53.8008, -1.5491, 1"),
    *_towns("AU-VIC", "Ballarat, -37.5622, 143.8503, 1"),
    *_towns("MX", "Puebla, 19.0414, -98.2063, 1"),
    *_towns("JP", "Nagano, 36.6513, 138.1810, 1"),
)
RULE_OF = {
    "CA-ON": "CA-1",
    "CA-SK": "CA-1",
    "CA-QC": "QC-3",
    "CA": "CA-1",
    "US-WA": "X-1",
    "US-TX": "TX-1",
    "US-NY": "X-1",
    "FR": "EU-10",
    "DE": "EU-10",
    "GB": "UK-1",
    "AU-VIC": "AU-1",
    "AU": "AU-1",
    "MX": "X-1",
    "JP": "X-1",
}
"""The rule under which the shipped policy keeps each of them closed; Quebec under the filing that takes longest."""
