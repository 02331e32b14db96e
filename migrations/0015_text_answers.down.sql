-- The functions of now go on until the next `migrate` replaces them, so the column stays.
drop type api.interface_5;
