import { parityTests } from "./suite.ts";

parityTests("pixel_sums");
