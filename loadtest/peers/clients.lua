-- wrk: every request from another client, named as a load balancer does. CLIENTS of 198.18.0.0/15, the network that
-- is kept for benchmarks; with PAUSE, that many milliseconds between two requests of a connection.
local clients = tonumber(os.getenv("CLIENTS"))
local pause = tonumber(os.getenv("PAUSE"))
local head = "GET / HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: wrk\r\nAccept: */*\r\nX-Forwarded-Proto: http\r\nX-Forwarded-For: 198."
local random, floor = math.random, math.floor

function init() math.randomseed(12345) end

function request()
  local i = random(0, clients - 1)
  return head .. 18 + floor(i / 65536) .. "." .. floor(i / 256) % 256 .. "." .. i % 256 .. "\r\n\r\n"
end

if pause > 0 then
  function delay() return pause end
end
