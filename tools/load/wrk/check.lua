-- For wrk (https://github.com/wg/wrk): every answer must have the status 200 and the status "success" in its body.
-- Arguments: file for the ids of the acknowledged writes, or nothing. Prints the counts and the latencies by millisecond.
local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
  thread:set('number', #threads)
end

function init(args)
  bad, answers, refusals = 0, 0, 0
  if args[1] then file = io.open(args[1] .. '.' .. number, 'a') end
end

function response(status, headers, body)
  answers = answers + 1
  if status == 503 then refusals = refusals + 1 end
  if status ~= 200 or not string.find(body, '"status":"success"', 1, true) then
    bad = bad + 1
  elseif file then
    local ids = string.match(body, '"writes":%[([^%]]*)%]')
    if ids then file:write(ids, '\n') end
  end
end

function done(summary, latency, requests)
  local all = { answers = 0, bad = 0, refusals = 0 }
  for _, thread in ipairs(threads) do
    for name in pairs(all) do all[name] = all[name] + thread:get(name) end
  end
  local errors = summary.errors
  io.write(string.format('\nballast %d %d %d %d %d %d %d\n', all.answers, all.bad, all.refusals,
    errors.connect + errors.read + errors.write, errors.timeout, summary.duration, summary.requests))
  print_latencies(latency, summary.requests - errors.timeout)
end

-- In ms, rounded up: from here on the assessment calls an answer too slow.
local slow = 2000
local steps = 500

local function ms_of(latency, share)
  -- Of the last ones wrk says 0.
  local value = latency:percentile(share * 100)
  return math.ceil((value > 0 and value or latency.max) / 1000)
end

-- What part of all answers came in time.
local function share_in_time(latency)
  local in_time, late = 0, 1
  for _ = 1, 40 do
    local middle = (in_time + late) / 2
    if ms_of(latency, middle) < slow then in_time = middle else late = middle end
  end
  return in_time
end

-- Prints how many took how many ms, in equal shares, cut where answers begin to be too slow. To take them value by value, `latency(i)`,
-- wrk walks through all of them each time, which after ten seconds of ten thousand users took longer than the load.
function print_latencies(latency, total)
  local shares = { share_in_time(latency) }
  for step = 1, steps do shares[#shares + 1] = step / steps end
  table.sort(shares)
  local before = 0
  for _, share in ipairs(shares) do
    local upto = math.floor(share * total + 0.5)
    if upto > before then io.write(string.format('ms %d %d\n', ms_of(latency, share), upto - before)) end
    before = upto
  end
end
