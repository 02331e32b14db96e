-- Takes the tables and everything in them away. The role stays: other databases of the cluster may use it.

drop schema if exists api cascade;
drop schema errand cascade;
