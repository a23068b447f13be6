-- How many messages are in which state, whether claims are stopped, and when the oldest that is queued was handed in; of
-- many lanes some are looked at.
local oldest, LANES = nil, 200

local function older(n)
  local rec = record(n)
  local created = rec and byte(rec, 1) == 1 and six(rec, 4)
  if created and (not oldest or created < oldest) then oldest = created end
end

if c.q > 0 then
  local filter = waiting_filter()
  for _, sorted in ipairs({':last', ':back'}) do
    local n = call('ZRANGE', T .. sorted, 0, 0)[1]
    if n then older(n) end
  end
  for _, list in ipairs(IN_LINE) do
    local page = {offset = 0, limit = 1, ns = {}}
    walk(page, T .. list, false, filter)
    if page.ns[1] then older(page.ns[1]) end
  end
  if c.kq > 0 then
    for _, where in ipairs({':ring', ':park', ':blk'}) do
      for i, lane in ipairs(lanes_of(where, LANES)) do
        if i > LANES then break end
        local n = call('ZRANGE', T .. ':k:' .. lane, 0, 0)[1]
        if n then older(n) end
      end
    end
  end
end
return {format('%.0f', c.s), format('%.0f', c.q), format('%.0f', c.w), format('%.0f', c.f), format('%.0f', c.x), c.p,
  oldest and format('%.0f', oldest) or ''}
