# The node that both servers are.
datacenter     = "dc1"
node_name      = "Node-1"
advertise_addr = "127.0.0.1"
bind_addr      = "127.0.0.1"
client_addr    = "127.0.0.1"

node_meta {
  rack           = "r1"
  rfc1035-note   = "as = it is"
  "with_tick"    = "a`b=c"
  "UPPER"        = "Value With Blanks "
  "RFC1035-Big"  = "case of the prefix"
}
