data_dir = "/var/lib/consul"
dns_config { node_ttl = "-1s" }
