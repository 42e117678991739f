"""What somebody types as a query: words, phrases, exclusions, synonyms and corrections."""

from pathlib import Path

import pytest

from query_api.__main__ import main
from query_api.search.lexicon import Lexicon
from query_api.search.query import Clause, Phrase, TextQuery
from query_api.search.synonyms import MalformedSynonyms, Synonyms, read_synonyms
from query_api.search.text_query import TooManyWords, parse_text, written
from shared.search.words import WORD_CHARACTERS_MAX, without_markup, words_of


def _required(text: str, synonyms: Synonyms | None = None) -> list[tuple[tuple[str, ...], ...]]:
    query = parse_text(text) if synonyms is None else parse_text(text, synonyms)
    assert query is not None
    return [tuple(phrase.words for phrase in clause.phrases) for clause in query.required]


def test_a_text_becomes_clauses() -> None:
    assert parse_text('Blue "Ocean Shirt" -"Big sale" OBS-') == TextQuery(
        'blue "ocean shirt" -"big sale" obs-',
        (
            Clause((Phrase(("blue",)),), "blue"),
            Clause((Phrase(("ocean", "shirt")),), "ocean shirt", is_literal=True),
            Clause((Phrase(("obs",), is_prefix=True),), "obs-"),
        ),
        (Clause((Phrase(("big", "sale")),), "big sale", is_literal=True),),
    )


@pytest.mark.parametrize("text", ["", " ", "-", '""', "& ! -", "→"])
def test_a_text_without_a_word_is_no_query(text: str) -> None:
    assert parse_text(text) is None


def test_an_open_quotation_mark_ends_with_the_text() -> None:
    assert _required('"blue shirt') == [(("blue", "shirt"),)]
    assert _required("„blaue Hose“") == [(("blaue", "hose"),)]


def test_too_many_words_are_refused() -> None:
    assert len(_required(" ".join(["a"] * 16))) == 16
    with pytest.raises(TooManyWords, match="16 words"):
        parse_text(" ".join(["a"] * 17))


def test_a_query_is_written_as_somebody_would_type_it() -> None:
    query = parse_text('Linen "ocean blue" -red')
    assert query is not None
    assert written(query) == 'linen "ocean blue" -red'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Größe 42", ["grosse", "42"]),
        ("Łódź, ÆRØ", ["lodz", "aero"]),
        ("İstanbul ﬁne", ["istanbul", "fine"]),
        ("e\u0301te\u0301", ["ete"]),
        ("T-Shirt_XL", ["t", "shirt", "xl"]),
        ("青いシャツ blue", ["青", "い", "シ", "ャ", "ツ", "blue"]),
        ("x" * 100, ["x" * WORD_CHARACTERS_MAX]),
    ],
)
def test_words_are_without_case_diacritics_and_punctuation(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_markup_is_no_text_and_a_comparison_is_no_markup() -> None:
    assert words_of(without_markup("<p>a&amp;b</p><br/>c &lt;d&gt; 3 < 4 > 2")) == words_of("a b c d 3 4 2")


def test_synonyms_work_both_ways_or_one_way(tmp_path: Path) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_text(
        "# furniture\nsofa, Couch, settee\n\ntee => t-shirt, tshirt # one way\n", encoding="utf-8"
    )
    synonyms = read_synonyms(file)
    assert _required("couch x", synonyms) == [(("couch",), ("sofa",), ("settee",)), (("x",),)]
    assert _required("tee", synonyms) == [(("tee",), ("t", "shirt"), ("tshirt",))]
    assert _required("tshirt", synonyms) == [(("tshirt",),)]
    assert _required('"couch"', synonyms) == [(("couch",),)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a, b\nalone\n", "line 2: one entry alone"),
        (b"a, , b", "line 1: an entry has no word"),
        (b"a =>", "line 1: an entry has no word"),
        (b"one two three four five, x", "line 1: an entry has more than 4 words"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_a_wrong_file_of_synonyms_stops_the_start_and_says_where(
    content: bytes,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_bytes(content)
    with pytest.raises(MalformedSynonyms, match=told):
        read_synonyms(file)
    monkeypatch.setenv("SEARCH_SYNONYMS_FILE", str(file))
    monkeypatch.setattr("sys.argv", ["query_api", "serve"])
    assert main() == 2
    assert "SEARCH_SYNONYMS_FILE: " in (printed := capsys.readouterr().err)
    assert told in printed


def test_the_nearest_and_most_frequent_words_are_meant() -> None:
    lexicon = Lexicon({"shirt": 5, "short": 9, "skirt": 1, "headphones": 2, "s42": 7, "it": 3})
    assert lexicon.corrections("shirrt") == ["shirt"]
    assert lexicon.corrections("shrt") == ["short", "shirt"]
    assert lexicon.corrections("haedfones") == []
    assert lexicon.corrections("haedphonse") == ["headphones"]
    assert lexicon.corrections("sihrt") == ["shirt"]
    for untouched in ("s43", "is", "xyzzy"):
        assert not lexicon.corrections(untouched)
