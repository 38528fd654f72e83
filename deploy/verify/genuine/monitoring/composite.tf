# moto answers 500 to a composite alarm of this provider; the stub holds them on today's schema.
