import { parityTests } from "./suite.ts";

parityTests("currents");
