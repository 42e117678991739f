"""The words of the invented catalogue. If you change one, all seeded catalogues change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """A leaf of the category tree: what it sells, in which options, for how much (whole units of money)."""

    category: str
    product_type: str
    nouns: tuple[str, ...]
    options: tuple[tuple[str, tuple[str, ...]], ...]
    attributes: tuple[tuple[str, tuple[str, ...]], ...]
    price_from: int
    price_to: int
    grams_from: int
    grams_to: int


COLOURS = (
    "Black",
    "White",
    "Ocean Blue",
    "Forest Green",
    "Sand",
    "Terracotta",
    "Crème",
    "Bordeaux",
    "Anthracite",
)
SIZES = ("XS", "S", "M", "L", "XL", "XXL")
SHOE_SIZES = ("37", "38", "39", "40", "41", "42 ½")
FIBRES = ("cotton", "linen", "merino wool", "recycled polyester", "hemp")
ORIGINS = ("Portugal", "Italia", "Türkiye", "Việt Nam", "Österreich", "日本", "Canada")

FAMILIES = (
    Family(
        "apparel/shirts", "Shirts", ("Shirt", "Oxford Shirt", "Polo", "T-Shirt"),
        (("Size", SIZES), ("Colour", COLOURS)),
        (("material", FIBRES), ("fit", ("slim", "regular", "relaxed"))),
        19, 120, 120, 350,
    ),
    Family(
        "apparel/outerwear/jackets", "Jackets", ("Rain Jacket", "Parka", "Windbreaker", "Fleece"),
        (("Size", SIZES), ("Colour", COLOURS)),
        (("material", FIBRES), ("waterproof_mm", ("5000", "10000", "20000"))),
        79, 480, 450, 1400,
    ),
    Family(
        "apparel/trousers", "Trousers", ("Chinos", "Jeans", "Cargo Trousers"),
        (("Size", SIZES),), (("material", FIBRES), ("fit", ("slim", "straight", "wide"))),
        39, 160, 350, 800,
    ),
    Family(
        "footwear/hiking", "Boots", ("Hiking Boot", "Approach Shoe", "Wanderschuh"),
        (("Size", SHOE_SIZES),), (("sole", ("Vibram", "rubber", "crêpe")), ("origin", ORIGINS)),
        89, 320, 700, 1500,
    ),
    Family(
        "footwear/sneakers", "Sneakers", ("Court Sneaker", "Runner", "Slip-on"),
        (("Size", SHOE_SIZES), ("Colour", COLOURS)),
        (("upper", ("leather", "canvas", "knit")), ("origin", ORIGINS)),
        49, 220, 500, 950,
    ),
    Family(
        "home/kitchen/cookware", "Cookware", ("Sauté Pan", "Stockpot", "Kettle", "Cocotte"),
        (("Size", ("16 cm", "20 cm", "24 cm", "28 cm")),),
        (("material", ("stainless steel", "cast iron", "copper")), ("induction", ("yes", "no"))),
        29, 390, 600, 5200,
    ),
    Family(
        "home/kitchen/tableware", "Tableware", ("Bowl", "Dinner Plate", "Espresso Cup", "湯呑み"),
        (("Colour", COLOURS),), (("material", ("stoneware", "porcelain", "glass")), ("origin", ORIGINS)),
        8, 60, 150, 900,
    ),
    Family(
        "home/lighting", "Lamps", ("Desk Lamp", "Pendant", "Floor Lamp"),
        (("Colour", COLOURS),), (("socket", ("E14", "E27", "GU10")), ("lumens", ("400", "800", "1200"))),
        35, 450, 700, 6500,
    ),
    Family(
        "electronics/audio/headphones", "Headphones", ("Headphones", "Earbuds", "Studio Monitor"),
        (("Colour", COLOURS[:4]),), (("wireless", ("yes", "no")), ("driver_mm", ("10", "32", "40"))),
        25, 420, 40, 380,
    ),
    Family(
        "electronics/computing/keyboards", "Keyboards", ("Mechanical Keyboard", "Numpad", "Split Keyboard"),
        (("Layout", ("ISO-DE", "ISO-UK", "ANSI-US", "AZERTY")), ("Switch", ("linear", "tactile", "clicky"))),
        (("connection", ("USB-C", "Bluetooth", "2.4 GHz")),),
        45, 320, 300, 1300,
    ),
    Family(
        "outdoor/bags", "Bags", ("Backpack", "Tote", "Duffel", "Rucksack"),
        (("Volume", ("12 l", "20 l", "35 l")), ("Colour", COLOURS)), (("material", FIBRES),),
        29, 280, 250, 1900,
    ),
    Family(
        "grocery/tea-and-coffee", "Tea & Coffee", ("Espresso Beans", "Earl Grey", "煎茶", "Rooibos"),
        (("Weight", ("100 g", "250 g", "1 kg")),),
        (("organic", ("yes", "no")), ("origin", ("Ethiopia", "Perú", "静岡"))),
        6, 48, 100, 1050,
    ),
)  # fmt: skip

BRANDS = (
    "Atelier Nord", "Söhne & Töchter", "Hearth", "Blå Fjord", "Café Ménage", "Kestrel", "Marlow & Pine",
    "Yamamoto 山本", "Łódź Works", "Fieldnote", "Casa Îlha", "Northbound", "Ostro", "Quince",
    "Tall Order", "Vela", "Wren", "Zephyr",
)  # fmt: skip
ADJECTIVES = (
    "Ocean", "Classic", "Alpine", "Everyday", "Heritage", "Light", "Midnight", "Modern", "Nordic",
    "Quiet", "Rugged", "Soft", "Solstice", "Summit", "Urban", "Vintage", "Winter", "Élan",
)  # fmt: skip
TAGS = (
    "new", "sale", "gift", "bestseller", "limited", "vegan", "handmade", "recycled", "summer", "winter",
    "men", "women", "unisex", "outlet", "made-to-order",
)  # fmt: skip
SENTENCES = (
    "Made in small batches by people who use it themselves.",
    "The seams are double-stitched where others fold and hope.",
    "Care: wipe with a damp cloth; do not bleach; repair rather than replace.",
    "Every part that wears out can be ordered on its own.",
    "Designed on paper, tested in the rain, kept simple; très simple.",
    "Ships in a box without plastic, and the box is the right size.",
    "Two years of guarantee; in practice we answer longer than that.",
    "Dimensions differ by a few millimetres from piece to piece: it is made by hand.",
    "Our customers call it “the one that stays”; we call it finished.",
    "The colour is dyed through, so that a scratch is not the end of it.",
)
