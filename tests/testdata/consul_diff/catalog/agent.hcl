# What both servers read: the node and a check of the whole node.
datacenter     = "dc1"
node_name      = "Node-1"
alt_domain     = "alt.test"
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
