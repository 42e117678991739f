-- One POST of a product in five requests; the others PUT prices of products that exist. Each has an idempotency key of
-- its own. Arguments: the run's name; a file with a line for each product, its id and its SKU.
local number, run, products = 0, "run", {}
function init(arguments)
  run = arguments[1]
  for line in io.lines(arguments[2]) do
    local id, sku = line:match("^(%S+) (%S+)$")
    products[#products + 1] = "/v1/products/" .. id .. "/variants/" .. sku .. "/price"
  end
end
function request()
  number = number + 1
  local name = run .. "-" .. number
  local headers = {["Content-Type"] = "application/json", ["Idempotency-Key"] = name}
  if number % 5 == 1 then
    return wrk.format("POST", "/v1/products", headers, '{"name":"Ocean Blue Shirt ' .. name .. '","description":"'
      .. string.rep("x", 200) .. '","variants":[{"sku":"' .. name .. '","price":{"amount":"9.00","currency":"USD"}}]}')
  end
  return wrk.format("PUT", products[number * 7919 % #products + 1], headers,
    string.format('{"amount":"%d.%02d","currency":"USD"}', number % 9000 + 1, number % 100))
end
