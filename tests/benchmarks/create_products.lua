-- POST a product with a slug, a SKU and an idempotency key that no earlier run has used. Argument: the run's name.
local number, run = 0, "run"
function init(arguments) run = arguments[1] or "run" end
function request()
  number = number + 1
  local name = run .. "-" .. number
  return wrk.format("POST", nil, {["Content-Type"] = "application/json", ["Idempotency-Key"] = name,
    ["Authorization"] = wrk.headers["Authorization"]},
    '{"name":"Ocean Blue Shirt ' .. name .. '","slug":"ocean-blue-shirt-' .. name .. '","description":"A shirt as blue '
    .. 'as the ocean","brand":"Ocean","category":"apparel/shirts","tags":["men","summer"],"attributes":{"colour":"blue"},'
    .. '"variants":[{"sku":"OBS-' .. name .. '","options":{"size":"M"},"price":{"amount":"50.00","currency":"USD"}}]}')
end
