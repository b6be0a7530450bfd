# A service.
service {
  name = "web"
  port = 8080
  tags = ["v1", "primary",]
  meta = { version = "1.2" }
  check = { http = "http://127.0.0.1:8080/health" interval = "10s" }
}
