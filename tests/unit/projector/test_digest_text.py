"""The words of a digest: counts and first names, one line each whatever a product is called."""

from uuid import UUID

from projector.notifications.digest_text import Section, ShownProduct, digest_text

READ = "http://read/"
LINK = "http://read/v1/products/00000000-0000-0000-0000-00000000000"


def shown(number: int, name: str | None = "Shirt") -> ShownProduct:
    return ShownProduct(UUID(int=number), name)


def test_it_counts_each_sort_and_shows_the_first_products() -> None:
    sections = [
        Section("archived", 1, [shown(3, "Old")]),
        Section("new", 1998, [shown(1), shown(2, "Hat")]),
        Section("new-and-archived", 2, [shown(4), shown(5)]),
        Section("cheaper", 1, [shown(6)]),
    ]
    text = digest_text(sections, 2005, ["spring-2026"], 1, READ)
    assert text.subject == (
        "Catalogue changes: 1,998 new products, 2 archived new products, 1 lower price, 1 archived product"
    )
    assert text.body == (
        "2,005 changes of 2,002 products, told in one mail.\n"
        "Import: spring-2026\n"
        "\n"
        "New products: 1,998\n"
        f"  Shirt  {LINK}1\n"
        f"  Hat  {LINK}2\n"
        "  and 1,996 more\n"
        "\n"
        "New products that are already archived: 2\n"
        f"  Shirt  {LINK}4\n"
        f"  Shirt  {LINK}5\n"
        "\n"
        "Lower prices: 1\n"
        f"  Shirt  {LINK}6\n"
        "\n"
        "Archived products: 1\n"
        f"  Old  {LINK}3\n"
    )


def test_one_change_is_told_in_the_singular() -> None:
    text = digest_text([Section("new", 1, [shown(1)])], 1, [], 0, READ)
    assert text.subject == "Catalogue changes: 1 new product"
    assert text.body.startswith("1 change of 1 product, told in one mail.\n\nNew products: 1\n")


def test_many_imports_are_counted() -> None:
    text = digest_text([Section("new", 3, [])], 3, ["a", "b"], 1200, READ)
    assert "\nImports: a, b and 1,198 more\n" in text.body


def test_a_name_stays_one_line_and_short_and_a_product_without_a_name_is_its_link() -> None:
    section = Section("new", 3, [shown(1, "A\r\nBcc: x"), shown(2, None), shown(3, "x" * 5000)])
    lines = digest_text([section], 3, [], 0, READ).body.splitlines()
    assert lines[3:5] == [f"  A Bcc: x  {LINK}1", f"  {LINK}2"]
    assert len(lines[5]) < 250
