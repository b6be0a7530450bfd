data_dir = "/var/lib/consul"
service "web" { port = 80 }
