"""Names that look the same are one name, in every script; a slug keeps the words of every script whole."""

# ruff: noqa: RUF001 - letters of other scripts that look like Latin ones are what is tested

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.contract.text import cut_slug, cut_text, normal_slug, normal_text, not_in_a_slug, slug_of

_ZWJ, _ZWNJ, _SOFT_HYPHEN, _EMOJI_STYLE = "\u200d", "\u200c", "\u00ad", "\ufe0f"
_THAI = "เสื้อยืด-สีแดง"
# What names are made of, so that letters, marks, joiners and signs meet more often than by chance.
_parts = st.sampled_from(
    [
        "a", "Z", "7", "-", "_", " ", "/", "™", "👕", "Σ", "İ", "ß", "é", "\u0301", "\u0323", "\u20e3",
        "\u0308", "\u0344", "\u212a", "\u212b", "क", "\u094d", "ष", "ी", "ড\u09bc", "\u09df", "เ", "ส",
        "\u0e37", "\u0e33", "ᄒ", "ᅡ", "ᆫ", "한", "\u0651", "م", _ZWJ, _ZWNJ, _SOFT_HYPHEN, _EMOJI_STYLE,
        "\u034f", "\u3164", "\u0f73", "\u0f71",
    ]
)  # fmt: skip
_names = st.lists(_parts, max_size=30).map("".join) | st.text(max_size=60)


@given(_names)
@example("\u0301" * 40 + "a")
@example("e\u20dd\u0301")
@example("a\u034f\u0323\u0301")
def test_a_made_slug_is_in_normal_form_and_may_be_sent_as_a_slug(name: str) -> None:
    slug = slug_of(name)
    assert slug == normal_slug(slug) == slug_of(slug)
    assert not_in_a_slug(slug) is None
    assert slug == "" or (slug[0].isalnum() and slug[-1] != "-")


@given(_names)
def test_both_spellings_of_a_name_are_one_name_and_make_one_slug(name: str) -> None:
    composed, decomposed = unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)
    assert normal_text(composed) == normal_text(decomposed) == normal_text(normal_text(name)) == composed
    assert normal_slug(composed) == normal_slug(decomposed) == normal_slug(normal_slug(name))
    assert slug_of(composed) == slug_of(decomposed)


@given(_names)
def test_what_cannot_be_seen_makes_no_other_slug(name: str) -> None:
    assert normal_slug("".join(f"{each}\u200b" for each in name)) == normal_slug("".join(name))


@given(_names, st.integers(0, 40))
def test_a_cut_slug_is_the_beginning_of_one_and_is_one(name: str, characters_max: int) -> None:
    slug = slug_of(name)
    cut = cut_slug(slug, characters_max)
    assert slug.startswith(cut)
    assert len(cut) <= characters_max
    assert slug_of(cut) == cut


@pytest.mark.parametrize(
    ("slug", "characters_max", "cut"),
    [
        ("blue-shirt", 10, "blue-shirt"),
        ("blue-shirt", 9, "blue-shir"),
        ("blue-shirt", 5, "blue"),
        ("a--b", 3, "a"),
        ("xq\u0323\u0301", 3, "x"),  # a letter and its accents
        ("अब-किताब", 4, "अब"),  # a consonant and its vowel sign
        ("कक्ष", 3, "क"),  # two consonants that a virama joins
        ("นน้ำ", 3, "น"),  # Thai am is a letter, and written over the one before
        ("x\u1112\u119e", 2, "x"),  # old Hangul, of which there are no whole syllables
        ("q" + "\u0301" * 9, 5, ""),
        ("", 3, ""),
    ],
)
def test_a_slug_is_not_cut_between_a_letter_and_what_is_written_on_it(
    slug: str, characters_max: int, cut: str
) -> None:
    assert cut_slug(slug, characters_max) == cut


@pytest.mark.parametrize(
    ("text", "characters_max", "cut"),
    [
        ("Blue shirt - large", 12, "Blue shirt -"),
        ("a👩\u200d👧b", 2, "a"),
        ("a👩\u200d👧b", 3, "a"),
        ("a👩\u200d👧b", 4, "a👩\u200d👧"),
        ("a👍\U0001f3fdb", 2, "a"),
        ("a❤\ufe0fb", 2, "a"),
        ("1\ufe0f\u20e3", 2, ""),
        ("🇩🇪🇫🇷", 1, ""),
        ("🇩🇪🇫🇷", 2, "🇩🇪"),
        ("🇩🇪🇫🇷", 3, "🇩🇪"),
        ("x🇩🇪🇫🇷", 3, "x🇩🇪"),
        ("cafe\u0301s", 4, "caf"),
        ("می\u200cخواهم", 2, "م"),
    ],
)
def test_a_text_is_not_cut_within_a_letter_or_an_emoji(text: str, characters_max: int, cut: str) -> None:
    assert cut_text(text, characters_max) == cut


@pytest.mark.parametrize(
    "slug",
    [
        "हिन्दी-किताब", _THAI, "নীল-শা\u09a1\u09bcি", "pillow-i̇nsert", "café", "பருத்தி-சட்டை", "ហ្សីន",
        "קֹדֶשׁ", "قَمِيص", "tiếng-việt", "青い-シャツ", "파란-셔츠", "größe_m", "x²", "１２",
    ],
)  # fmt: skip
def test_letters_marks_and_digits_of_every_script_are_what_a_slug_holds(slug: str) -> None:
    assert normal_slug(slug) == slug
    assert not_in_a_slug(slug) is None
    assert normal_slug(unicodedata.normalize("NFD", slug)) == slug


def test_bengali_letters_that_have_no_composed_form_in_nfc_are_stored_in_two_characters() -> None:
    assert normal_slug("শা\u09dcি") == normal_slug("শা\u09a1\u09bcি") == "শা\u09a1\u09bcি"
    assert slug_of("নীল শা\u09dcি") == "নীল-শা\u09a1\u09bcি"


@pytest.mark.parametrize(
    ("slug", "character"),
    [
        ("nike™", "™"),
        ("shirt-👕", "👕"),
        ("a b", " "),
        ("a/b", "/"),
        ("🇩🇪", "\U0001f1e9"),
        ("a\n", "\n"),
        ("a\u0600", "\u0600"),
    ],
)
def test_the_first_sign_of_a_slug_is_named(slug: str, character: str) -> None:
    assert not_in_a_slug(normal_slug(slug)) == character


@pytest.mark.parametrize(
    ("given_slug", "stored"),
    [
        ("shop\u00adping", "shopping"),
        ("می\u200cخواهم", "میخواهم"),
        ("\ufeffslug\u200b", "slug"),
        ("\u202eslug\u202c", "slug"),
        ("l\u034f\u0301a", "ĺa"),
        ("\u3164", ""),
    ],
)
def test_a_given_slug_loses_what_cannot_be_seen(given_slug: str, stored: str) -> None:
    assert normal_slug(given_slug) == stored


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Ocean Blue Shirt", "ocean-blue-shirt"),
        ("  50% off -- A/B_c!", "50-off-a-b-c"),
        ("Größe M / 42", "größe-m-42"),
        ("เสื้อยืด สีแดง", _THAI),
        ("हिन्दी किताब", "हिन्दी-किताब"),
        ("İpek", "i̇pek"),
        ("IŞIK", "işik"),
        ("STRASSE Straße", "strasse-straße"),
        ("ΟΔΟΣ ΣΟΦΙΑΣ", "οδος-σοφιας"),
        ("\u1112\u1161\u11ab글", "한글"),
        ("قَمِيص أَزْرَق", "قَمِيص-أَزْرَق"),
        ("\u200fقميص\u200f 42", "قميص-42"),
        ("می\u200cخواهم", "میخواهم"),
        ("Ａ１", "ａ１"),
        ("Nike™ Air", "nike-air"),
        ("Shirt👕Blue", "shirt-blue"),
        ("👩\u200d👩\u200d👧 Family 🇩🇪", "family"),
        ("I ❤\ufe0f Tea", "i-tea"),
        ("Top 1\ufe0f\u20e3 #\ufe0f\u20e3", "top-1"),
        ("\u0301a", "a"),
        ("Shop\u00adping", "shopping"),
        ("Kelvin \u212a Ångström \u212b", "kelvin-k-ångström-å"),
        ("नीला™", "नीला"),
        ("™ 👕", ""),
        ("", ""),
    ],
)
def test_a_slug_is_made_of_a_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_every_character_of_unicode_makes_a_slug_that_stays_as_it_is() -> None:
    for character in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.category(character) == "Cn" or character.isascii():
            continue
        assert unicodedata.category(character) != "Me" or slug_of(f"a{character}") == "a"
        slug = slug_of(f"x{character}")
        assert slug == slug_of(slug), f"{ord(character):x}"
        assert not_in_a_slug(slug) is None, f"{ord(character):x}"


def test_ten_thousands_of_marks_on_one_letter_are_put_in_order() -> None:
    count = 50_000  # `unicodedata.normalize` alone compares each of them with each
    assert normal_text("q" + "\u0301" * count + "\u0323" * count) == "q" + "\u0323" * count + "\u0301" * count
    assert (
        normal_text("a" + "\u0301" * count + "\u0323" * count)
        == "ạ" + "\u0323" * (count - 1) + "\u0301" * count
    )
