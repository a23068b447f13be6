-- Stops or lets go on the claims. ARGV: 1 or 0.
c.p = tonumber(ARGV[1])
if c.p == 0 then
  c.i = 1
  wake()
end
save()
return 1
