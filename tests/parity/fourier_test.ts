import { parityTests } from "./suite.ts";

parityTests("fourier");
