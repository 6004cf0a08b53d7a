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
  local counts = {}
  for i = 1, #latency do
    local value, count = latency(i)
    local ms = math.ceil(value / 1000)
    counts[ms] = (counts[ms] or 0) + count
  end
  for ms, count in pairs(counts) do io.write(string.format('ms %d %d\n', ms, count)) end
end
