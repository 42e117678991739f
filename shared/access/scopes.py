"""The rights that a token can give. Each route names the one that it needs."""

from enum import StrEnum


class Scope(StrEnum):
    """One right, as it stands in a token's `scope` claim. The names are published: never rename one."""

    PRODUCTS_READ = "products:read"
    PRODUCTS_READ_DRAFTS = "products:read-drafts"
    PRODUCTS_AUDIT = "products:audit"
    PRODUCTS_WRITE = "products:write"
    PRODUCTS_PUBLISH = "products:publish"
    PRODUCTS_IMPORT = "products:import"
    EVENTS_READ = "events:read"
    OPS_READ = "ops:read"
    OPS_WRITE = "ops:write"
