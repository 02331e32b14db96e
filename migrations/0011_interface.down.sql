drop type api.interface_2;
