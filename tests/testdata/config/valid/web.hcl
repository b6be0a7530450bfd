# A service with everything that a definition can say (Consul 1.8).
data_dir = "/var/lib/consul"

service {
  name    = "web" # required
  id      = "web-1"
  address = "10.0.0.5"
  port    = 8080
  tags    = ["v1", "primary"]
  meta    = { version = "1.2" }

  tagged_addresses = {
    lan      = { address = "10.0.0.5", port = 8080 }
    lan_ipv6 = { address = "2001:db8::5", port = 8080 }
    wan      = { address = "198.51.100.5", port = 80 }
  }

  weights             = { passing = 10, warning = 1 }
  enable_tag_override = false
  token               = ""

  connect {
    sidecar_service {}
  }

  check = {
    id                                = "http"
    http                              = "http://127.0.0.1:8080/health"
    interval                          = "10s"
    timeout                           = "1s"
    deregister_critical_service_after = "90m"
  }
}
