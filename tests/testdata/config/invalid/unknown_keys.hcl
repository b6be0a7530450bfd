data_dir = "/var/lib/consul"
node_nam = "x"
ports { dsn = 1 }
dns_config { soa { minttl = 1 } }
services { name = "a" }
services {
  name = "b"
  notes = "x"
  check { http = "http://127.0.0.1/" interval = "10s" timout = "1s" }
}
