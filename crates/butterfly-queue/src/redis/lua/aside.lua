-- Sets messages aside as failed that their owner claimed and cannot read. ARGV: owner, then number and defect of each.
for i = 2, #ARGV, 2 do
  local n = ARGV[i]
  if call('SREM', T .. ':w:' .. ARGV[1], n) == 1 then
    c.w = c.w - 1
    lane_done(n)
    forget({n})
    set_aside(n, ARGV[i + 1])
  end
end
save()
return 1
