-- The requests of the bench, for wrk: each one for a random user with that user's token, and a random task of theirs.
--
--     wrk --script bench/load.lua http://127.0.0.1:3000 -- <scenario> <plan> <seed> [<query> [<requests>]]
--
-- The plan has a line for each user, with tabs between: id, token, the entity tags of lists, how many tasks the user has, the ids of
-- some of them, and the entity tags of those; of tags there are two with a comma between. With the same seed every server is sent the
-- same requests. With a number of requests, wrk ends after those, or when its time is over.

local users = {}
-- The users with the most tasks. What reads an account is asked of them: its cost is that of the account.
local large = {}
local scenario
local query
local remaining

-- A condition that is met unless the server has one of the tags.
local function unless(tags)
  return 'If-None-Match: "' .. tags:gsub(",", '", "') .. '"\r\n'
end

-- An id and the space behind it. The ids of a user stay one string, so that many users need little memory and are read fast.
local width = 37

local function read(path, conditional)
  local most = 0
  for line in io.lines(path) do
    local id, token, tags, count, ids, known = line:match("^([^\t]+)\t([^\t]+)\t([^\t]+)\t(%d+)\t([^\t]*)\t(.*)$")
    local user = {
      path = "/api/" .. id .. "/tasks",
      head = " HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nAuthorization: Bearer " .. token .. "\r\n",
      ids = ids,
      sample = math.floor((#ids + 1) / width),
    }
    if conditional then
      user.condition = unless(tags)
      user.conditions = {}
      for one in known:gmatch("%S+") do user.conditions[#user.conditions + 1] = unless(one) end
    end
    users[#users + 1] = user
    count = tonumber(count)
    if count > most then most, large = count, {} end
    if count == most then large[#large + 1] = user end
  end
end

-- The id of a task of the sample.
local function task(user, number)
  local start = ((number or math.random(user.sample)) - 1) * width
  return user.ids:sub(start + 1, start + width - 1)
end

local function get(user, rest, headers)
  return "GET " .. user.path .. rest .. user.head .. (headers or "") .. "\r\n"
end

local function send(method, user, rest, body)
  return method .. " " .. user.path .. rest .. user.head .. "Content-Type: application/json\r\nContent-Length: "
    .. #body .. "\r\n\r\n" .. body
end

local words = { "train", "kit", "invoice", "holi", "bicycle", "dent", "garage", "pass", "newsletter", "libr", "window", "cont" }

local scenarios = {}

function scenarios.get(user) return get(user, "/" .. task(user)) end

function scenarios.list(user) return get(user, "?limit=50") end

function scenarios.filtered(user)
  return get(user, "?completed=false&priority=high,medium&sort=due&limit=50")
end

function scenarios.search(user) return get(user, "?limit=50&q=" .. words[math.random(#words)]) end

function scenarios.create(user)
  local n = math.random(1000000)
  return send("POST", user, "", '{"title":"Collect parcel ' .. n .. '","description":"From the shop at the corner","priority":"medium","tags":["home","post"],"due":{"date":"2026-12-01","time":"09:30","time_zone":"Europe/Vilnius"}}')
end

function scenarios.patch(user)
  local n = math.random(1000000)
  return send("PATCH", user, "/" .. task(user), '{"title":"Call again ' .. n .. '","priority":"high"}')
end

function scenarios.complete(user)
  local completed = math.random(2) == 1 and "true" or "false"
  return send("PATCH", user, "/" .. task(user) .. "/complete", '{"completed":' .. completed .. '}')
end

function scenarios.get304(user)
  local number = math.random(user.sample)
  return get(user, "/" .. task(user, number), user.conditions[number])
end

function scenarios.list304(user) return get(user, "?limit=50", user.condition) end

-- The longest descriptions that a task may have: 10,000 characters, of which some have several bytes.
local descriptions = {}

local function describe()
  local parts, length = {}, 0
  while length < 9980 do
    parts[#parts + 1] = words[math.random(#words)] .. " žiema" .. math.random(400)
    length = length + select(2, parts[#parts]:gsub("[^\128-\191]", "")) + 1
  end
  return table.concat(parts, " ") .. string.rep(".", 10000 - length + 1)
end

local function description() return descriptions[math.random(#descriptions)] end

scenarios["get-long"] = scenarios.get

scenarios["create-long"] = function(user)
  return send("POST", user, "", '{"title":"Minutes of the meeting","description":"' .. description() .. '"}')
end

-- A change beside the description, so that the cost of storing a long task again is seen.
scenarios["patch-long"] = function(user)
  local priority = math.random(2) == 1 and "low" or "high"
  return send("PATCH", user, "/" .. task(user), '{"priority":"' .. priority .. '"}')
end

-- Gives each task of the plan a long description, one after the other.
local turn = 0

function scenarios.lengthen()
  local user = users[turn % #users + 1]
  local known = task(user, math.floor(turn / #users) % user.sample + 1)
  turn = turn + 1
  return send("PATCH", user, "/" .. known, '{"description":"' .. description() .. '"}')
end

-- What is asked of the users with the most tasks.
local of_large = { filtered = true, search = true }

local function make(name)
  local of = of_large[name] and large or users
  return scenarios[name](of[math.random(#of)])
end

-- 80 % reads: of ten requests four are gets, two lists, one each is filtered and a search; the rest are writes.
local day = { "get", "get", "get", "get", "list", "list", "filtered", "search", nil, nil }
local writes = { "create", "patch", "complete" }

function scenarios.day() return make(day[math.random(10)] or writes[math.random(3)]) end

-- One page, whichever the command names.
function scenarios.page(user) return get(user, query) end

-- The parts of a request that need no task: the instance alone, and the instance, the token and a refusal.
function scenarios.live() return "GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" end

function scenarios.ready() return "GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" end

function scenarios.refused(user) return get(user, "?limit=0") end

-- What may read all that a user has is refused with 429 when too many such requests of the user are under way, and that is no error.
-- To look at answers costs wrk time, so it looks at those of these scenarios alone. Counted in each thread, so `setup` keeps them.
local heavy = { filtered = true, search = true, day = true }
local threads = {}

function setup(thread) threads[#threads + 1] = thread end

busy = 0

local function count(status)
  if status == 429 then busy = busy + 1 end
end

function init(args)
  scenario = args[1]
  if heavy[args[1]] then response = count end
  read(args[2], args[1] == "get304" or args[1] == "list304")
  math.randomseed(tonumber(args[3]))
  query = args[4]
  -- The first request is made to be looked at, and not sent.
  remaining = args[5] and tonumber(args[5]) + 1
  if args[1] == "lengthen" or args[1] == "create-long" then
    for i = 1, 16 do descriptions[i] = describe() end
  end
end

-- wrk itself only knows a duration: its main thread sleeps that long, and then waits for the others. An interrupt wakes it,
-- but only when it is sent to that thread, whose id is that of the process: any other may take what the process is sent.
local ffi = require("ffi")
ffi.cdef("int getpid(void); int tgkill(int process, int thread, int signal);")
local interrupt = 2

local function stop()
  wrk.thread:stop()
  local process = ffi.C.getpid()
  ffi.C.tgkill(process, process, interrupt)
end

function request()
  if remaining then
    remaining = remaining - 1
    if remaining == -1 then stop() end
  end
  return make(scenario)
end

function done(summary, latency)
  local errors = summary.errors
  local refused = 0
  for _, thread in ipairs(threads) do refused = refused + thread:get("busy") end
  io.write(string.format(
    'RESULT {"requests":%d,"micros":%d,"bytes":%.0f,"p50":%d,"p99":%d,"max":%d,"status":%d,"busy":%d,"broken":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status - refused, refused, errors.connect + errors.read + errors.write + errors.timeout))
end
