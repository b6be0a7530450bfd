# Somebody else's service under a name of ours: its address is a name, and the
# answer is a CNAME to it. In SRV it is the target.
#   dig @127.0.0.1 -p 8600 billing.service.consul
#   dig @127.0.0.1 -p 8600 billing.service.consul SRV

service {
  name    = "billing"
  address = "www.example.com"
  port    = 443
  tags    = ["external"]
}
