"""The routes of lists and searches: the parameters of each address, and its answer.

A list that asks for a text, attributes, counts or a total is a search, and the search index answers it. Of
the others, the index answers those for which the table would need a long walk (`list_choice.py`).
"""

from typing import Annotated, Any, NamedTuple

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from query_api.consistency.http import WaitLimits, consistency_of
from query_api.errors import BadParameter
from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.caller import EVERYBODYS, require_statuses, sees_all
from query_api.http.route_parts import add_route, json_answer, next_page, refuse_repeats
from query_api.products.http.chosen_fields import fields_of, with_fields
from query_api.products.http.hot_head import CACHE_FAILED
from query_api.products.http.kept_answers import keep_answer
from query_api.products.http.list_parameters import ListParameters, SuggestParameters
from query_api.products.http.product_answer import cache_status
from query_api.products.http.schemas import ProductPage, SuggestionsModel
from query_api.products.http.search_parameters import attributes_of, facets_of, text_of
from query_api.products.kept_pages import KeptPages
from query_api.products.list_choice import ALL_STATUSES, ListChoice
from query_api.products.lists import ListProducts, refuse_price_without_currency
from query_api.products.page_answer import PageAnswer
from query_api.products.searches import SearchProducts, Wanted
from query_api.products.suggestions import SuggestProducts
from query_api.search.query import SearchFilters
from query_api.search.synonyms import Synonyms
from shared.access.scopes import Scope


class ProductListReads(NamedTuple):
    """What answers lists, at most `ttl_seconds` old, and where their answers are kept."""

    products: ListProducts
    pages: KeptPages
    ttl_seconds: int


class SearchReads(NamedTuple):
    """What answers searches, and chooses who answers a list."""

    products: SearchProducts
    suggestions: SuggestProducts
    synonyms: Synonyms
    choice: ListChoice


def list_routes(lists: ProductListReads, search: SearchReads, limits: WaitLimits) -> AddRoutes:
    """Routes for lists and searches."""

    async def list_products(request: Request, parameters: Annotated[ListParameters, Query()]) -> Response:
        """Products that match all filters, a page at a time.

        With `q`, `facets`, `with_total`, `sort=relevance`, `sort=id`, or filters by attribute, it is a
        search. `attr.<name>` is a value (a text, a number, `true` or `false`), `attr.<name>.min` and
        `attr.<name>.max` are the ends of a range of numbers.
        """
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        filters = parameters.filters()
        require_statuses(request, filters.statuses)
        attributes = attributes_of(parameters.model_extra or {})
        fields = fields_of(parameters.fields)
        asked = parameters.search(filters, text_of(parameters.q, search.synonyms), attributes)
        is_search = parameters.is_search or bool(attributes)
        if is_search or search.choice.is_for_index(filters, asked, parameters.cursor):
            wanted = Wanted(
                parameters.limit,
                facets_of(parameters.facets, parameters.currency),
                parameters.with_total,
                ALL_STATUSES if sees_all(request) else EVERYBODYS,
            )
            _refuse_what_does_not_fit(asked)
            page = await search.products.page(asked, parameters.cursor, wanted, consistency)
        else:
            asks_cache = CACHE_FAILED not in request.scope
            page = await lists.products.page(
                filters, parameters.cursor, parameters.limit, consistency, asks_cache=asks_cache
            )
        headers = {**applied, **_headers(request, page, lists)}
        answer = json_answer(request, with_fields(page.body, fields), headers)
        keep_answer(lists.pages, request, page, answer)
        return answer

    suggest = _suggestions(search, limits, lists.ttl_seconds)

    def add(app: FastAPI) -> None:
        add_route(app, "/v1/products", list_products, ProductPage, openapi.LIST, scope=Scope.PRODUCTS_READ)
        add_route(
            app, "/v1/products/suggest", suggest, SuggestionsModel, openapi.REPORT, scope=Scope.PRODUCTS_READ
        )

    return add


def _suggestions(search: SearchReads, limits: WaitLimits, ttl_seconds: int) -> Any:
    async def suggest(request: Request, parameters: Annotated[SuggestParameters, Query()]) -> Response:
        """Products, brands and categories that what somebody has typed so far may become."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        text = text_of(parameters.q, search.synonyms)
        assert text is not None, "q is required"
        body = await search.suggestions.of(text, parameters.limit, consistency)
        return json_answer(request, body, {**applied, "cache-control": f"max-age={ttl_seconds}"})

    return suggest


def _headers(request: Request, page: PageAnswer, lists: ProductListReads) -> dict[str, str]:
    name, value = cache_status(page.cache)
    return {
        "cache-control": f"max-age={lists.ttl_seconds}",
        "age": str(lists.pages.age_seconds(page.made_at)),
        "vary": "Consistency-Token",
        **next_page(request, page.next_cursor),
        name.decode(): value.decode(),
    }


def _refuse_what_does_not_fit(filters: SearchFilters) -> None:
    refuse_price_without_currency(filters)
    if filters.sort == "relevance" and filters.text is None:
        raise BadParameter("sort", "relevance needs q")
