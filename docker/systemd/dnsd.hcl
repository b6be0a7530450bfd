# What dnsd serves on this machine. Every .hcl and .json file of this directory
# is read, in the order of their names.
#
#   dnsd validate /etc/dnsd.d     the verdict on a change
#   systemctl reload dnsd         takes it; listeners need a restart

# Registrations, and what is known of a mirrored Consul.
data_dir = "/var/lib/dnsd"

# DNS on port 53 of every address; HTTP stays on loopback. Where
# systemd-resolved runs, name the addresses: it has one of loopback's itself.
#ports     { dns = 53 }
#addresses { dns = "0.0.0.0" }

# A Consul to mirror, instead of registrations of our own.
#consul {
#  address    = "http://192.0.2.8:8500"
#  token_file = "/etc/dnsd.d/consul.token"
#}

# Who is asked for other names.
#recursors = ["192.0.2.53"]
