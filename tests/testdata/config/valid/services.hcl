// Several services: blocks, and a list beside them in the same file.
data_dir = "/var/lib/consul"

services {
  name = "redis"
  port = 6379
  checks = [
    {
      args     = ["/usr/local/bin/check_redis.py", "--port", "6379"]
      interval = "5s"
      timeout  = "20s"
    },
    {
      name = "memory"
      ttl  = "30s"
      notes = <<EOF
The application calls ${this} itself.
EOF
    },
  ]
}

services {
  name = "db"
  id   = "db-1"
  port = 5432
  tags = ["v1.primary"]
  enable_tag_override = true
  check { tcp = "localhost:5432" interval = "10s" timeout = "1s" }
}

services {
  id   = "db-proxy"
  name = "db-proxy"
  kind = "connect-proxy"
  port = 20000
  proxy {
    destination_service_name = "db"
    destination_service_id   = "db-1"
    local_service_address    = "127.0.0.1"
    local_service_port       = 5432
    config { protocol = "tcp" }
    upstreams = [{ destination_name = "redis", local_bind_port = 9191 }]
  }
}

services {
  name = "legacy"
  address = "legacy.example.com"
  port = 80
  connect { native = true }
}

enable_local_script_checks = true
