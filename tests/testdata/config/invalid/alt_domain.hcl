data_dir = "/var/lib/consul"
alt_domain = "service.foo"
