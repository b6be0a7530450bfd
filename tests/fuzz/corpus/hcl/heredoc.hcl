a = <<EOF
x ${y}
EOF
b = <<-EOF
    c
      d
    EOF
