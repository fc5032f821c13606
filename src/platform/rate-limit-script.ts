import { EXACT_MAX } from './rate-limit.ts';

/**
 * A window is one hash: `first` and `last` number its parts, `total` is what they hold together, `begun` when the newest was begun, 0 when that is not known; each part
 * stands under its number: when the last of it was taken, a space, and how much it is. Numbers begin at the time when the window was made, and none
 * up to `top` comes again, so that a receipt never fits a later part. All in microseconds by the clock of Redis, whatever the clocks of the nodes say. Every key expires.
 *
 * KEYS: windows. ARGV, for each: the maximum, the length of the window, the amount. Answers, for each: the total, the time until the oldest
 * part is over, how long to wait, and the number of the part; after a first word that is 1 when all was taken.
 */
export const TAKE_SCRIPT = `
local EXACT_MAX = ${EXACT_MAX}
-- Nobody is kept for longer; how long to wait is then told too short, and asking again tells more.
local STEPS_MAX = 2000
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function text(number)
  return string.format('%.0f', number)
end

local function partOf(key, number)
  local value = redis.call('HGET', key, text(number))
  if not value then return nil end
  local at, weight = string.match(value, '^(%d+) (%d+)$')
  return tonumber(at), tonumber(weight)
end

local function drop(key, number, weight, state)
  redis.call('HDEL', key, text(number))
  state.total = state.total - weight
  state.isChanged = true
end

-- What is later than now is of before the clock went back: it would count for as long as it went back, so it is dropped.
local function read(key, window)
  local fields = redis.call('HMGET', key, 'first', 'last', 'total', 'begun', 'top')
  local state = { total = tonumber(fields[3]) or 0, begun = tonumber(fields[4]) or 0, top = tonumber(fields[5]) or 0 }
  state.first, state.last = tonumber(fields[1]), tonumber(fields[2])
  if not state.first then return state end
  local latest = partOf(key, state.last)
  if latest and latest + window <= now then
    redis.call('DEL', key)
    return { total = 0, begun = 0, top = 0 }
  end
  while state.last >= state.first do
    local at, weight = partOf(key, state.last)
    if at and at <= now then break end
    if at then
      drop(key, state.last, weight, state)
      -- Whoever took it may still give it back.
      if state.last > state.top then
        state.top = state.last
        redis.call('HSET', key, 'top', text(state.top))
      end
    end
    state.last = state.last - 1
    state.begun = 0 -- That was of the one that is gone.
  end
  local steps = 0
  while state.first <= state.last and steps < STEPS_MAX do
    local at, weight = partOf(key, state.first)
    if at and at + window > now then
      state.reset = at + window - now
      break
    end
    if at then drop(key, state.first, weight, state) end
    state.first = state.first + 1
    steps = steps + 1
  end
  return state
end

local function waitOf(key, state, max, window, amount)
  if amount == 0 then return 0 end
  if amount > max then return window end
  local left, wait, number, steps = state.total, 0, state.first, 0
  while left + amount > max and number and number <= state.last and steps < STEPS_MAX do
    local at, weight = partOf(key, number)
    if at then
      left = left - weight
      wait = at + window - now
    end
    number = number + 1
    steps = steps + 1
  end
  return wait
end

local function put(key, state, max, window, amount)
  local at, weight
  if state.last and state.last >= state.first then at, weight = partOf(key, state.last) end
  local joins = at == now or (at and max > EXACT_MAX and weight + amount <= math.floor(max / 100) and now - state.begun <= window / 100)
  if joins then
    amount = amount + weight
    state.total = state.total - weight
  else
    if not state.first then
      state.first, state.last = now, now
    else
      local number = math.max(state.last, state.top) + 1
      if state.last < state.first then state.first = number end
      state.last = number
    end
    state.begun = now
    state.reset = state.reset or window
  end
  if state.first == state.last then state.reset = window end
  state.total = state.total + amount
  redis.call('HSET', key, 'first', text(state.first), 'last', text(state.last), 'total', text(state.total), 'begun', text(state.begun),
    text(state.last), text(now) .. ' ' .. text(amount))
  redis.call('PEXPIRE', key, math.ceil(window / 1000))
  return state.last
end

local states, waits, isAllowed = {}, {}, true
for index, key in ipairs(KEYS) do
  local max, window, amount = tonumber(ARGV[3 * index - 2]), tonumber(ARGV[3 * index - 1]), tonumber(ARGV[3 * index])
  states[index] = read(key, window)
  waits[index] = waitOf(key, states[index], max, window, amount)
  if waits[index] > 0 then isAllowed = false end
end

local answer = { isAllowed and 1 or 0 }
for index, key in ipairs(KEYS) do
  local max, window, amount = tonumber(ARGV[3 * index - 2]), tonumber(ARGV[3 * index - 1]), tonumber(ARGV[3 * index])
  local state, place = states[index], 0
  if isAllowed and amount > 0 then
    place = put(key, state, max, window, amount)
  elseif state.isChanged then
    redis.call('HSET', key, 'first', text(state.first), 'last', text(state.last), 'total', text(state.total), 'begun', text(state.begun))
  end
  answer[#answer + 1] = text(state.total) .. ' ' .. text(state.reset or 0) .. ' ' .. text(waits[index]) .. ' ' .. text(place)
end
return table.concat(answer, ' ')
`;

/** KEYS: windows. ARGV, for each: the number of a part, and how much of it is given back. */
export const GIVE_BACK_SCRIPT = `
for index, key in ipairs(KEYS) do
  local number, amount = ARGV[2 * index - 1], tonumber(ARGV[2 * index])
  local value = redis.call('HGET', key, number)
  if value then
    local at, weight = string.match(value, '^(%d+) (%d+)$')
    local left = math.max(0, tonumber(weight) - amount)
    redis.call('HINCRBY', key, 'total', string.format('%.0f', left - tonumber(weight)))
    if left == 0 then redis.call('HDEL', key, number)
    else redis.call('HSET', key, number, at .. ' ' .. string.format('%.0f', left)) end
  end
end
return ''
`;
