data_dir = "/var/lib/consul"
datacenter = "DC 1"
