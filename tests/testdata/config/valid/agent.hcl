// An agent as the tutorials set one up, with keys that only Consul needs.
datacenter       = "East-AWS"
data_dir         = "/opt/consul"
node_name        = "foobar"
node_id          = "ADF4238A-882B-9DDC-4A9D-5B6758E4159E"
node_meta        = { instance_type = "t2.medium" rack = "r1" }
server           = true
bootstrap_expect = 3
encrypt          = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s="
retry_join       = ["10.0.0.1", "10.0.0.2"]
bind_addr        = "127.0.0.1"
client_addr      = "127.0.0.1 127.0.0.2"
advertise_addr     = "10.1.2.3"
advertise_addr_wan = "198.51.100.7"
translate_wan_addrs = true
domain           = "Example.Consul"
alt_domain       = "test.consul."
recursors        = ["8.8.8.8", "[2001:4860:4860::8888]:53", "8.8.8.8:53"]
log_level        = "INFO"
enable_debug     = false
leave_on_terminate = true

ports {
  dns      = 8653
  http     = 8501
  https    = -1
  grpc     = 8502
  serf_lan = 8301
}

addresses {
  dns  = "0.0.0.0"
  http = "127.0.0.1"
}

dns_config {
  allow_stale         = true
  max_stale           = "87600h"
  node_ttl            = "10s"
  service_ttl         = { "*" = "5s", "web" = "30s", "db*" = "1m30s" }
  enable_truncate     = true
  only_passing        = true
  disable_compression = true
  recursor_timeout    = "1500ms"
  udp_answer_limit    = 5
  a_record_limit      = 8
  enable_additional_node_meta_txt = false
  soa { min_ttl = 60, refresh = 1800 }
  use_cache           = true
  cache_max_age       = "5m"
}

connect { enabled = true }
ui = true
performance { raft_multiplier = 1 }
telemetry { statsite_address = "127.0.0.1:2180" }
acl { enabled = false default_policy = "allow" tokens { agent = "x" } }
autopilot { cleanup_dead_servers = true }
limits { http_max_conns_per_client = 200 }
watches = [{ type = "checks" handler_type = "script" args = ["/usr/bin/health-check-handler.sh"] }]
