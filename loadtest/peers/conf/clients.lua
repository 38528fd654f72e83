-- wrk: every request names its client, as a load balancer does. Set by environment variables:
--   CLIENTS  so many known clients of 198.18.0.0/15, the network kept for benchmarks; 0: every request a new address
--            of 240.0.0.0/4, which belongs to nobody, beginning with number START
--   OFFENDERS  so many known clients send every second request
--   METHOD, REQUEST_PATH, BODY (bytes), CLOSE=1 (one request a connection)
local function number(name) return tonumber(os.getenv(name) or "0") end
local clients, offenders, body = number("CLIENTS"), number("OFFENDERS"), number("BODY")
local random, floor, format = math.random, math.floor, string.format

local head = (os.getenv("METHOD") or "GET") .. " " .. (os.getenv("REQUEST_PATH") or "/") .. " HTTP/1.1\r\nHost: bench.test\r\n"
  .. "User-Agent: wrk\r\nAccept: */*\r\nX-Forwarded-Proto: http\r\n"
if body > 0 then head = head .. "Content-Length: " .. body .. "\r\n" end
if number("CLOSE") > 0 then head = head .. "Connection: close\r\n" end
head = head .. "X-Forwarded-For: "
local tail = "\r\n\r\n" .. string.rep("x", body)

-- An odd step visits every one of 2^28 addresses before any comes again, and no two neighbours share a network.
local SPACE, STEP = 2 ^ 28, 165740141
local at = number("START") * STEP % SPACE
local turn = 0

function init() math.randomseed(12345) end

local function known(first, i)
  return head .. "198." .. first + floor(i / 65536) .. "." .. floor(i / 256) % 256 .. "." .. i % 256 .. tail
end

function request()
  turn = turn + 1
  if offenders > 0 and turn % 2 == 0 then return known(19, random(0, offenders - 1)) end
  if clients > 0 then return known(18, random(0, clients - 1)) end
  at = (at + STEP) % SPACE
  return head .. format("%d.%d.%d.%d", 240 + floor(at / 16777216), floor(at / 65536) % 256, floor(at / 256) % 256, at % 256) .. tail
end
