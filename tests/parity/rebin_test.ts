import { parityTests } from "./suite.ts";

parityTests("rebin");
