-- GET one of the addresses in the file named by the first argument, in turn.
local paths, number = {}, 0
function init(arguments)
  for line in io.lines(arguments[1]) do paths[#paths + 1] = line end
end
function request()
  number = number % #paths + 1
  return wrk.format("GET", paths[number])
end
