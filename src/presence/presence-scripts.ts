/**
 * One hash per person: `c:<connection>` → stance (O ONLINE, A AWAY), `+` open or `-` dropped, until when it counts in milliseconds, `|`,
 * its session; `s:<session>` → stance and when it was said; `shown` → what others were last told; `at` → when, in microseconds.
 * One sorted set: who is to be looked at, by when. All by the clock of Redis. Every key expires.
 */
const SHARED = `
local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local now = math.floor(nowUs / 1000)
local due = KEYS[1]
local people = ARGV[1]

local function parse(value)
  local stance, state, untilMs, session = string.match(value, '^(%a)([+-])(%d+)|(.*)$')
  return stance, state, tonumber(untilMs), session
end

local function presenceOf(fields)
  local presence = 'F'
  local first = nil
  local count = 0
  for index = 1, #fields, 2 do
    if string.sub(fields[index], 1, 2) == 'c:' then
      local stance, _, untilMs = parse(fields[index + 1])
      if untilMs > now then
        count = count + 1
        if first == nil or untilMs < first then first = untilMs end
        if stance == 'O' or presence == 'F' then presence = stance end
      end
    end
  end
  return presence, first, count
end
`;

/** Answers the letters of the people's presences, in order, as one text. */
export const READ_SCRIPT = `${SHARED}
local letters = {}
for index = 2, #ARGV do
  letters[index - 1] = (presenceOf(redis.call('HGETALL', people .. ARGV[index])))
end
return table.concat(letters)
`;

/** Takes the steps one after the other, then looks at whose time has come. Answers the changes of what others see. */
export const UPDATE_SCRIPT = `${SHARED}
local steps = cjson.decode(ARGV[2])
local graceMs, heldMs, rememberedMs = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local connectionsMax, stancesMax, sweptMax = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local changes = {}
local met, order = {}, {}

local function meet(user)
  if not met[user] then
    met[user] = true
    order[#order + 1] = user
  end
  return people .. user
end

local function write(key, connection, stance, state, untilMs, session)
  redis.call('HSET', key, 'c:' .. connection, stance .. state .. string.format('%.0f', untilMs) .. '|' .. session)
end

-- Makes room for one more; the one said first goes.
local function boundStances(key, fields)
  local count, oldest, oldestAt = 0, nil, nil
  for index = 1, #fields, 2 do
    if string.sub(fields[index], 1, 2) == 's:' then
      local at = tonumber(string.sub(fields[index + 1], 2))
      count = count + 1
      if oldestAt == nil or at < oldestAt then oldest, oldestAt = fields[index], at end
    end
  end
  if count >= stancesMax then redis.call('HDEL', key, oldest) end
end

for _, step in ipairs(steps) do
  local user = string.format('%.0f', step.u)
  local key = meet(user)
  if step.o == 'h' then
    local known = redis.call('HGET', key, 'c:' .. step.c)
    if known then
      write(key, step.c, (parse(known)), '+', now + heldMs, step.s)
    else
      local _, _, count = presenceOf(redis.call('HGETALL', key))
      if count < connectionsMax then
        local said = redis.call('HGET', key, 's:' .. step.s)
        write(key, step.c, said and string.sub(said, 1, 1) or 'O', '+', now + heldMs, step.s)
      end
    end
  elseif step.o == 's' then
    local known = redis.call('HGET', key, 'c:' .. step.c)
    if known then
      local _, state, untilMs, session = parse(known)
      write(key, step.c, step.p, state, untilMs, session)
    end
  elseif step.o == 'd' then
    local known = redis.call('HGET', key, 'c:' .. step.c)
    if known then
      local stance, state, _, session = parse(known)
      if state == '+' then write(key, step.c, stance, '-', now + graceMs, session) end
    end
  else
    local fields = redis.call('HGETALL', key)
    if redis.call('HEXISTS', key, 's:' .. step.s) == 0 then boundStances(key, fields) end
    redis.call('HSET', key, 's:' .. step.s, step.p .. string.format('%.0f', nowUs))
    for index = 1, #fields, 2 do
      if string.sub(fields[index], 1, 2) == 'c:' then
        local _, state, untilMs, session = parse(fields[index + 1])
        if session == step.s then write(key, string.sub(fields[index], 3), step.p, state, untilMs, session) end
      end
    end
  end
end

if sweptMax > 0 then
  for _, user in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, sweptMax)) do meet(user) end
end

for _, user in ipairs(order) do
  local key = people .. user
  local fields = redis.call('HGETALL', key)
  local shown, at, stances = 'F', 0, 0
  for index = 1, #fields, 2 do
    local name, value = fields[index], fields[index + 1]
    if name == 'shown' then shown = value
    elseif name == 'at' then at = tonumber(value)
    elseif string.sub(name, 1, 2) == 's:' then stances = stances + 1
    else
      local _, _, untilMs = parse(value)
      if untilMs <= now then redis.call('HDEL', key, name) end
    end
  end
  local presence, first = presenceOf(fields)
  if presence ~= shown then
    at = math.max(at + 1, nowUs)
    redis.call('HSET', key, 'shown', presence, 'at', string.format('%.0f', at))
    changes[#changes + 1] = { user, presence, string.format('%.0f', at) }
  end
  if first then
    redis.call('ZADD', due, first, user)
    redis.call('PEXPIRE', key, rememberedMs + heldMs + graceMs)
  else
    redis.call('ZREM', due, user)
    if stances == 0 then redis.call('DEL', key)
    else redis.call('PEXPIRE', key, rememberedMs) end
  end
end
redis.call('PEXPIRE', due, rememberedMs + heldMs + graceMs)
return cjson.encode(changes)
`;
