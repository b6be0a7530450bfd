data_dir = "/var/lib/consul"
node_name = "gateway"

service { name = "web" port = 80 }

check = {
  id = "web-http"
  name = "HTTP on port 5000"
  service_id = "web"
  http = "https://localhost:5000/health"
  tls_skip_verify = false
  method = "POST"
  header = { Content-Type = ["application/json"], x-foo = ["bar", "baz"] }
  body = "{\"method\":\"health\"}"
  interval = "10s"
  timeout = "1s"
}

checks = [
  { id = "ssh", name = "SSH TCP on port 22", tcp = "localhost:22", interval = "10s", timeout = "1s" },
  { id = "mem", name = "Memory utilization", docker_container_id = "f972c95ebf0e", shell = "/bin/bash", args = ["/usr/local/bin/check_mem.py"], interval = "10s" },
  { id = "grpc", name = "Service health status", grpc = "127.0.0.1:12345/my_service", grpc_use_tls = true, interval = "10s" },
  { id = "web-alias", alias_service = "web" },
  { id = "web-app", name = "Web App Status", notes = "Web app does a curl internally every 10 seconds", ttl = "30s" },
]

enable_script_checks = true
