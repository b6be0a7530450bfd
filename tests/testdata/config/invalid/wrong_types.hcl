data_dir = "/var/lib/consul"
node_name = 1
log_json = "true"
recursors = "8.8.8.8"
ports { dns = "8600" }
service {
  name = "a"
  port = "80"
  tags = "x"
  meta = { a = 1 }
}
