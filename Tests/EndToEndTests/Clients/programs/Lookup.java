// As lookup.c does it, by java.net.InetAddress; its own cache is off.

import java.net.Inet4Address;
import java.net.InetAddress;
import java.security.Security;

public class Lookup {
    public static void main(String[] arguments) throws Exception {
        Security.setProperty("networkaddress.cache.ttl", "0");
        int count = Integer.parseInt(arguments[1]);
        for (int left = Math.max(count, 1); left > 0; left--) {
            String four = "-", six = "-";
            for (InetAddress address : InetAddress.getAllByName(arguments[2])) {
                if (count == 0) System.out.println(address.getHostAddress());
                if (address instanceof Inet4Address) {
                    if (four.equals("-")) four = address.getHostAddress();
                } else if (six.equals("-")) six = address.getHostAddress();
            }
            if (count > 0) System.out.println(four + " " + six);
        }
    }
}
